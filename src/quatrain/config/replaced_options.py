"""An option that the user chooses in place of the experiment's starts from its own file.

``experiment=quick_sonnets optimizer=sgd``: the experiment's learning rate was meant for AdamW. What the experiment says
to a group counts as long as the chosen option names the class (and the type of model) that the experiment wrote for.
"""

from typing import Any

GLOBAL = ("experiment", "debug", "sweep")
"""Groups whose options speak to other groups."""


def without_foreign_leaves(composed: Any, overrides: list[str], first: list[str]) -> Any:
    """Return ``composed``, made of ``overrides``, with those groups composed anew to which the experiment is foreign.

    ``first`` are overrides for Hydra's own needs.
    """
    from omegaconf import OmegaConf, open_dict

    from quatrain.config.compose import hydra_composed

    chosen = {text.split("=")[0] for text in overrides if _is_choice(text)}
    replaced = sorted(name for name in chosen if name in composed and name not in GLOBAL)
    if not replaced or "~experiment" in overrides:
        return composed
    kept = [text for text in overrides if _is_choice(text) and text.split("=")[0] not in replaced]
    meant = hydra_composed([*first, *kept])
    foreign = [name for name in replaced if _kind(composed, name) != _kind(meant, name)]
    if not foreign:
        return composed
    own = [text for text in overrides if text.lstrip("+~").split("=")[0].split(".")[0] in foreign]
    others = [text for text in kept if not text.startswith("experiment=")]
    anew = hydra_composed([*first, *others, *dict.fromkeys(own), "~experiment"])
    with open_dict(composed):
        for name in (name for name in foreign if name in anew):
            composed[name] = OmegaConf.to_container(anew[name], resolve=False)
    return composed


def _is_choice(text: str) -> bool:
    key, equals, _ = text.partition("=")
    return bool(equals) and key.isidentifier() and key not in ("name", "seed", "test")


def _kind(composed: Any, name: str) -> tuple[Any, Any]:
    """What the arguments of a node belong to: its class, and for a model made of a config its type."""
    from omegaconf import OmegaConf

    group = OmegaConf.to_container(composed, resolve=False).get(name)  # type: ignore[union-attr]
    node = group if isinstance(group, dict) else {}
    model = node.get("config")
    return node.get("_target_"), model.get("model_type") if isinstance(model, dict) else None
