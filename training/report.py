"""The report for people (one HTML file) and MODEL_CARD.md for the bundle, from the figures of all stages."""

from importlib.resources import files
from typing import Any

import jinja2

from training import plots
from training.facts import GROUPS, gather
from training.stage import Workshop


def run(shop: Workshop) -> None:
    """Writes `report/report.html` and `report/MODEL_CARD.md`; the same work folder gives the same bytes."""
    facts = gather(shop)
    facts["plots"] = _plots(facts)
    for name, template in (("report.html", "report.html.j2"), ("MODEL_CARD.md", "model_card.md.j2")):
        path = shop.path("report", name)
        path.write_text(render(template, facts), encoding="utf-8", newline="\n")
        print(path)


def render(template: str, facts: dict[str, Any]) -> str:
    """A template of the package, filled; a name it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=jinja2.select_autoescape(("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"share": _share, "points": _points, "figure": _figure, "number": _number, "listed": _listed}
    environment.globals["names_of"] = lambda groups: _listed([GROUPS[group] for group in groups])
    return environment.get_template(template).render(facts)


def _plots(facts: dict[str, Any]) -> dict[str, Any]:
    history = {name: trained["history"] for name, trained in facts["training"].items()}
    return {
        "curves": {
            name: {figure: plots.curves(values, figure) for figure in ("loss", "accuracy")}
            for name, values in history.items()
        },
        "reliability": plots.reliability(facts["figures"]["reliability"]),
        "map": plots.emotion_map(facts["dictionary"], facts["vectors"]),
    }


def _source(name: str) -> str:
    return files("training").joinpath("templates", name).read_text(encoding="utf-8")


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _points(value: float) -> str:
    """Percentage points."""
    return f"{100 * value:.1f}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _number(value: int) -> str:
    return f"{value:,}"


def _listed(values: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(values[:-1]), *values[-1:])))
