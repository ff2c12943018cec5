"""Rounds: candidates measured in turn, so that what else the machine does falls on all of them, and their table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """What was done in one round: how much, in how many seconds, for how many CPU seconds of the measured process."""

    done: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    @property
    def cpu_each(self) -> float:
        """CPU microseconds for one."""
        return self.cpu / self.done * 1e6


@dataclass(frozen=True, slots=True)
class Target:
    """`candidate` shall reach `factor` times the `baseline`; None: shown for information."""

    candidate: str
    baseline: str
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Rounds:
    """The samples of each candidate, by round."""

    samples: Mapping[str, Sequence[Sample]]

    def ratios(self, target: Target) -> list[float]:
        """Of each round its own: both were measured within seconds of each other."""
        pairs = zip(self.samples[target.candidate], self.samples[target.baseline], strict=True)
        return [candidate.per_second / baseline.per_second for candidate, baseline in pairs]

    def cpu_ratio(self, target: Target) -> float:
        """How many times less CPU the candidate's process takes for one."""
        each = [
            median(s.cpu_each for s in self.samples[name]) for name in (target.baseline, target.candidate)
        ]
        return each[0] / each[1]


def measure(candidates: Mapping[str, Callable[[], Sample]], rounds: int = ROUNDS) -> Rounds:
    """Call each candidate once a round, in turn; who begins changes from round to round."""
    samples: dict[str, list[Sample]] = {name: [] for name in candidates}
    names = list(candidates)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(candidates[name]())
    return Rounds(samples)


def show(title: str, rounds: Rounds, targets: Sequence[Target]) -> None:
    """Print the medians, and each ratio with that of every round."""
    count = len(next(iter(rounds.samples.values())))
    print(f"\n{title} – medians of {count} rounds in turn")
    print(f"  {'':44}{'per second':>12}{'CPU µs each':>14}")
    for name, samples in rounds.samples.items():
        per_second = median(sample.per_second for sample in samples)
        print(f"  {name:44}{per_second:12,.0f}{median(sample.cpu_each for sample in samples):14,.0f}")
    for target in targets:
        print(_ratio_line(rounds, target))


def _ratio_line(rounds: Rounds, target: Target) -> str:
    ratios = rounds.ratios(target)
    middle = median(ratios)
    each = " ".join(f"{ratio:.2f}" for ratio in ratios)
    verdict = "for information"
    if target.factor is not None:
        verdict = f"target ≥ {target.factor:.3g}: {'reached' if middle >= target.factor else 'MISSED'}"
    name = f"{target.candidate} ÷ {target.baseline}"
    return f"  → {name}: {middle:.2f} × (rounds {each}; by CPU {rounds.cpu_ratio(target):.2f} ×), {verdict}"
