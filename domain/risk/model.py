"""The fitted model as a versioned artefact: its parameters, its cut-offs, and the digest that every flag names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from domain import instrument as instruments
from domain.base import DomainError, Value
from domain.instrument import Instrument

Floats = NDArray[np.float64]
Small = NDArray[np.float32]
Ints = NDArray[np.int64]
DAYS_MAX = 365 * 40
MONTHS_MAX = 12 * 25
Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
ALGORITHM = 2
"""How this software reckons levels and probabilities. Whoever changes a result in its fourth decimal raises it and
publishes a model that names it: a test holds the results of the present one."""
NEAR: dict[int, float] = {1: 2e-3, ALGORITHM: 1e-4}
"""Which algorithms a model may name, and how near this software comes to what they reckoned, as probabilities.

1 summed in another order and read the density without its table; the filter and the series are the same."""
Eight = Annotated[tuple[float, ...], Field(min_length=8, max_length=8)]


class NoSuchModel(DomainError):
    """There is no risk model of that name here."""


class ModelWrong(DomainError):
    """A risk model's file does not say what it must."""


class MadeFor(Value):
    """The instrument whose scale and cut-offs the model reads."""

    name: str
    version: int
    digest: str


class Correlation(Value):
    """Between two true levels of one pupil, where they share the factor, the context, or neither."""

    same_factor: float
    same_context: float
    neither: float


class Norms(Value):
    """The peers' mean of each of the eight levels, and their spread, at some ages in years; straight lines between."""

    ages: tuple[float, ...]
    mean: tuple[Eight, ...]
    sd: tuple[Positive, ...]


class Parameters(Value):
    """How levels move and how sittings see them. ``occasion_sd``: what a sitting's values share, scale points."""

    norms: Norms
    correlation: Correlation
    halving_days: Positive
    occasion_sd: Annotated[float, Field(ge=0)]


class Cut(Value):
    """A flag is raised at ``on`` and eases below ``off``: the room between keeps it from flickering."""

    on: Probability
    off: Probability


class Cuts(Value):
    """When each kind of flag is raised and eased."""

    priority: Cut
    polar: Cut
    both_contexts: Cut
    composite: Cut
    context_gap: Cut
    worsening: Cut
    unsettled: Cut
    flat: Cut


class Rules(Value):
    """``recent_days``: a flag is raised only on so recent a sitting; ``standing_days``: it stands that long without;
    ``moved_least``: how far worse counts, scale points; ``watch``: how much of the way to the end it must have come.
    """

    recent_days: Annotated[int, Field(ge=1)]
    standing_days: Annotated[int, Field(ge=1)]
    moved_least: Positive
    watch: Probability
    fluctuation_rounds: Annotated[int, Field(ge=4)]


class Artefact(Value):
    """What a model file holds. ``algorithm``: what its results are reckoned with, 1 where a file does not say;
    ``also_reads``: other instruments, such as earlier versions, whose values are known to lie on the same scale.
    """

    name: str
    version: int
    algorithm: Annotated[int, Field(ge=1)] = 1
    status: Literal["assumed", "fitted"]
    note: str
    instrument: MadeFor
    also_reads: tuple[MadeFor, ...] = ()
    parameters: Parameters
    cuts: Cuts
    rules: Rules
    load_per_30: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model ready for use. ``digest``: SHA-256, as hex, of its canonical content, which names its instrument's."""

    artefact: Artefact
    digest: str
    instrument: Instrument
    stationary: Small
    occasion_sd: np.float32
    _decay: Small
    _mean: Small
    _sd: Small

    def reads(self, instrument: tuple[str, int] | None) -> bool:
        """Whether sittings of an instrument (name, version) are read: numbers of two scales are never one series."""
        own = (self.artefact.instrument, *self.artefact.also_reads)
        return instrument is None or any(instrument == (one.name, one.version) for one in own)

    @property
    def near(self) -> float:
        """How near this software comes to probabilities on record that name this model."""
        return NEAR[self.artefact.algorithm]

    @property
    def shared_sd(self) -> float:
        """What the values of one sitting share, scale points."""
        return self.artefact.parameters.occasion_sd

    @property
    def cuts(self) -> Cuts:
        """When flags are raised and eased."""
        return self.artefact.cuts

    @property
    def rules(self) -> Rules:
        """The rest of what decides."""
        return self.artefact.rules

    def kept(self, days: Ints) -> Small:
        """The share of a deviation that is left after so many days (N,)."""
        return self._decay.take(np.clip(days, 0, DAYS_MAX))

    def norms(self, months: Ints) -> tuple[Small, Small]:
        """Peers' means (8, N) and spread (N,) at ages in months; 0 stands for an age nobody knows."""
        at = np.clip(months, 0, MONTHS_MAX)
        return self._mean.take(at, axis=1), self._sd.take(at)

    def spread_at(self, months: int) -> float:
        """Peers' spread at one age in months, scale points."""
        return float(self._sd[min(max(months, 0), MONTHS_MAX)])


def parse(content: bytes, source: str = "this file") -> Model:
    """A model from the bytes of its JSON file. Raises ModelWrong, NoSuchInstrument."""
    try:
        artefact = Artefact.model_validate(json.loads(content))
    except (ValueError, RecursionError, ValidationError) as error:
        raise ModelWrong(f"{source} cannot be read as a risk model: {error}") from error
    instrument = _checked(artefact.instrument, source)
    for one in artefact.also_reads:
        _checked(one, source)
    if artefact.algorithm not in NEAR:
        raise ModelWrong(f"{source} is for algorithm {artefact.algorithm}, which this version has not: update it")
    if instrument.priority.least_factors != 2:
        raise ModelWrong(f"{source} reads priority as two factors, its instrument does not: use one that does")
    stationary = correlations(artefact.parameters.correlation)
    if np.linalg.eigvalsh(stationary)[0] <= 0:
        raise ModelWrong(f"the correlations in {source} cannot all hold at once: make them smaller")
    return _made(artefact, instrument, stationary)


def _checked(made_for: MadeFor, source: str) -> Instrument:
    instrument = instruments.load(made_for.name, made_for.version)
    if instrument.digest != made_for.digest:
        raise ModelWrong(f"{source} was made for another state of {instrument.name} {instrument.version}: fit it again")
    return instrument


def _made(artefact: Artefact, instrument: Instrument, stationary: Floats) -> Model:
    parameters = artefact.parameters
    # the first file did not name its algorithm: flags on record name the digest of just what it says
    said = artefact.model_dump(mode="json", exclude_unset=True)
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    decay = np.exp2(-np.arange(DAYS_MAX + 1) / parameters.halving_days)
    mean, sd = _monthly(parameters.norms)
    digest = hashlib.sha256(text.encode()).hexdigest()
    tables = (one.astype(np.float32) for one in (decay, mean, sd))
    small = stationary.astype(np.float32)
    return Model(artefact, digest, instrument, small, np.float32(parameters.occasion_sd), *tables)


def correlations(given: Correlation) -> Floats:
    """The 8 x 8 correlations of true levels, factor-major within context."""
    factor, context = np.tile(np.arange(4), 2), np.repeat(np.arange(2), 4)
    same_factor = factor[:, None] == factor
    same_context = context[:, None] == context
    matrix = np.where(same_factor, given.same_factor, np.where(same_context, given.same_context, given.neither))
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _monthly(norms: Norms) -> tuple[Floats, Floats]:
    # the first month stands for an unknown age: the mean over the ages of school
    months = np.arange(MONTHS_MAX + 1)
    years = months / 12
    mean = np.stack([np.interp(years, norms.ages, column) for column in zip(*norms.mean, strict=True)])
    sd = np.interp(years, norms.ages, norms.sd)
    school = slice(8 * 12, 18 * 12)
    mean[:, 0], sd[0] = mean[:, school].mean(axis=1), sd[school].mean()
    return mean, sd


@cache
def load(name: str = "astrack-levels", version: int = 2) -> Model:
    """A model by name and version. Raises NoSuchModel, ModelWrong."""
    file = resources.files("domain") / "models" / f"{name}-{version}.json"
    if not file.is_file():
        raise NoSuchModel("this risk model is not installed here: choose one that is")
    return parse(file.read_bytes(), file.name)


@cache
def by_digest(digest: str) -> Model:
    """The model a flag names, to derive the flag again. Raises NoSuchModel."""
    for file in (resources.files("domain") / "models").iterdir():
        if file.name.endswith(".json"):
            model = parse(file.read_bytes(), file.name)
            if model.digest == digest:
                return model
    raise NoSuchModel("the risk model this flag names is not installed here: install the version that has it")
