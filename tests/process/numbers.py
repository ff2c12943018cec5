"""What a server tells Prometheus, read by Prometheus's own parser."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.process.clients import http_client
from tests.servers import ServerProcess


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one answer by name and labels."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def __call__(self, name: str, /, **labels: str) -> float:
        """The number with exactly these labels; 0 where it was not told."""
        return self.samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str, label: str) -> set[str]:
        """The values of a label of a metric."""
        return {value for each, pairs in self.samples if each == name for key, value in pairs if key == label}

    def total(self, name: str, /, **labels: str) -> float:
        """The sum of all numbers that have these labels and others."""
        wanted = set(labels.items())
        return sum(
            number for (each, pairs), number in self.samples.items() if each == name and wanted <= pairs
        )


async def numbers(server: ServerProcess) -> Numbers:
    """What `/metrics` tells now."""
    async with http_client(server) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.text)
    samples = [sample for family in families for sample in family.samples]
    return Numbers({(each.name, frozenset(each.labels.items())): each.value for each in samples})
