"""How the service is seen to be doing: counts and times by route, a span for each request; nothing about anybody.

A route is named by its template (``/api/v1/pupils/{pupil_id}``), never by the address that was asked for; spans carry
method, route and status and no header, body, address or user. Figures are served on a port of their own, on this
machine alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from starlette.datastructures import Headers
from starlette.types import Message, Scope, Send

from astrack.store import BadSetting

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds; 0.25 is what a page has to keep."""
NOWHERE = "(none)"
API = "/api/v1"
OTLP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


class Watch:
    """The figures of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter("astrack_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self._seconds = Histogram(
            "astrack_request_seconds", "How long an answer took.", labels, buckets=BUCKETS, registry=self.registry
        )
        self._under_way = Gauge("astrack_requests_under_way", "Requests being answered.", registry=self.registry)
        self._faults = Counter("astrack_faults", "Errors nobody expected.", ("kind",), registry=self.registry)
        self.tracer = trace.get_tracer("astrack")

    def fault(self, error: BaseException) -> None:
        """Count an error nobody expected, by its class."""
        self._faults.labels(type(error).__name__).inc()

    @contextmanager
    def request(self, scope: Scope, send: Send) -> Iterator[Send]:
        """Watch one request; gives the ``send`` to answer it with."""
        status, begun = [0], time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        above = propagate.extract({"traceparent": Headers(scope=scope).get("traceparent", "")})
        with self.tracer.start_as_current_span(
            scope["method"], context=above, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            self._under_way.inc()
            try:
                yield watched
            finally:
                self._under_way.dec()
                self._answered(span, scope, status[0], time.perf_counter() - begun)

    def _answered(self, span: Span, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"], route_of(scope)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))


def route_of(scope: Scope) -> str:
    """The template of the route that took a request."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return NOWHERE
    # a route knows its place within its router only
    return f"{API}{path}" if scope["path"].startswith(f"{API}/") and not path.startswith(API) else str(path)


def serve(watch: Watch, port: int) -> Any:
    """Serve the figures for Prometheus at this machine's own address; what stops it. None without a port."""
    if not port:
        return None
    server, _ = start_http_server(port, "127.0.0.1", registry=watch.registry)
    return server


def serve_beside(watch: Watch, port: int, most: int) -> None:
    """The same for one of several processes: at the first port that is free, from ``port`` on, of ``most``."""
    for one in range(port, port + most) if port else ():
        try:
            serve(watch, one)
        except OSError:
            continue
        return


def trace_to(where: str) -> None:
    """Send spans to ``stderr`` as JSON, or to the collector OTEL_EXPORTER_OTLP_ENDPOINT names; "" keeps none.

    Raises BadSetting.
    """
    if not where:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "astrack"}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(where)))
    trace.set_tracer_provider(provider)


def _exporter(where: str) -> SpanExporter:
    if where == "stderr":
        import sys

        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n")
    if where != "otlp":
        raise BadSetting(f"ASTRACK_TRACES is {where!r}: set stderr or otlp, or leave it out")
    if find_spec("opentelemetry.exporter") is None or find_spec(OTLP) is None:
        raise BadSetting("ASTRACK_TRACES is otlp: install opentelemetry-exporter-otlp-proto-http beside astrack")
    made: SpanExporter = import_module(OTLP).OTLPSpanExporter()
    return made
