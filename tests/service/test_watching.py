"""Figures, spans and log lines: enough to see how the service does, nothing about anybody."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest

from astrack.server import site as service
from astrack.server.logs import Lines
from astrack.server.watching import trace_to
from astrack.store import BadSetting


def figures(site: Any) -> str:
    return generate_latest(site.state.watch.registry).decode()


def test_requests_are_counted_by_the_template_of_their_route_and_not_by_whom_they_are_about(
    school: Any, site: Any
) -> None:
    assert school.as_("dsl").get(f"/api/v1/pupils/{school.pupil}").status_code == 200
    text = figures(site)
    assert 'astrack_requests_total{method="GET",route="/api/v1/pupils/{pupil_id}",status="200"}' in text
    assert str(school.pupil) not in text
    assert "astrack_request_seconds_bucket" in text


def test_an_address_that_is_none_of_ours_is_counted_without_what_it_said(school: Any, site: Any) -> None:
    school.client().get("/api/v1/Xylophone")
    assert 'route="(none)",status="404"' in figures(site)
    assert "Xylophone" not in figures(site)


def test_a_span_names_method_route_and_status_and_nothing_else(school: Any, site: Any, monkeypatch: Any) -> None:
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(site.state.watch, "tracer", provider.get_tracer("astrack"))
    above = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    school.as_("dsl").get(f"/api/v1/pupils/{school.pupil}?who=Xylophone", headers={"traceparent": above})
    span = kept.get_finished_spans()[-1]
    assert span.name == "GET /api/v1/pupils/{pupil_id}"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET", "http.route": "/api/v1/pupils/{pupil_id}", "http.response.status_code": 200,
    }  # fmt: skip
    assert f"{span.context.trace_id:032x}" in above


def test_a_log_line_tells_the_class_and_place_of_an_error_and_not_its_words() -> None:
    try:
        raise ValueError("a message that quotes a pupil")
    except ValueError:
        import sys

        record = logging.LogRecord("astrack", logging.ERROR, __file__, 1, "it went wrong", (), sys.exc_info())
    line = json.loads(Lines().format(record))
    assert (line["message"], line["error"]) == ("it went wrong", "ValueError")
    assert "quotes" not in json.dumps(line)
    assert "test_watching.py" in line["where"]


def test_each_start_says_which_settings_are_set_and_not_their_values(
    running: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ASTRACK_ROOT_KEY", "ab" * 32)
    monkeypatch.setattr("sys.setswitchinterval", lambda _: None)
    caplog.set_level(logging.INFO, "astrack.server")
    service.serving(running)
    said = [record.getMessage() for record in caplog.records]
    assert any("ASTRACK_ROOT_KEY" in one for one in said) and "abab" not in str(said)
    assert "second factors are off: for made-up data alone" in said


def test_traces_to_nowhere_known_are_refused_at_the_start() -> None:
    with pytest.raises(BadSetting, match="stderr or otlp"):
        trace_to("the moon")
