"""What the configuration in a Hugging Face folder says that all models have: sizes, activations, class names."""

import re
from typing import Any

from torch import Tensor

from vidattn.checkpoints.foreign import Foreign

ACTIVATIONS = {"gelu": "gelu", "gelu_fast": "gelu_tanh", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}
"""GELUs by HF's name -> ours."""

HARMLESS = {
    *("model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "problem_type", "num_labels"),
    *("id2label", "label2id", "finetuning_task", "task_specific_params", "attn_implementation", "name_or_path"),
    # Of training alone.
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "drop_path_rate", "initializer_range"),
    *("gradient_checkpointing", "loss_type", "use_bfloat16", "tf_legacy_loss"),
    # Of layers that no classifier uses, and of models of language: what every configuration of transformers 4 has.
    *("pooler_act", "pooler_output_size", "return_dict", "output_attentions", "output_hidden_states", "torchscript"),
    *("use_cache", "chunk_size_feed_forward", "tie_word_embeddings", "is_encoder_decoder", "tokenizer_class", "prefix"),
    *(
        "bos_token_id",
        "pad_token_id",
        "eos_token_id",
        "sep_token_id",
        "decoder_start_token_id",
        "cross_attention_hidden_size",
    ),
    *("is_decoder", "add_cross_attention", "tie_encoder_decoder", "max_length", "min_length", "do_sample", "top_k"),
    *("early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_p", "typical_p"),
    *("repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids"),
    *("num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id"),
    *("remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens"),
}
"""Keys that make no difference to what a classifier computes."""


def check_kind(config: Foreign) -> None:
    """The weights are floats of a model that takes three colours.

    Raises:
        WeightsError: they are not.
    """
    if "quantization_config" in config and config.raw("quantization_config"):
        raise config.error("quantization_config", "weights that were not quantised: fp32, fp16 or bf16")
    if "num_channels" in config and config.whole("num_channels", 3) != 3:
        raise config.error("num_channels", "3: red, green and blue")


def activation(config: Foreign, usual: str = "gelu") -> str:
    """Our name of the MLP's activation, which HF's configurations call `hidden_act`.

    Raises:
        WeightsError: it is no GELU.
    """
    return ACTIVATIONS[config.word("hidden_act", usual, ACTIVATIONS)]


def patch_side(config: Foreign) -> int:
    """Side of the patches in pixels.

    Raises:
        WeightsError: they are not square.
    """
    height, width = config.sides("patch_size", 16)
    if height != width:
        raise config.error("patch_size", "a square: vidattn's patches are")
    return height


def mlp_ratio(hidden: int, dim: int) -> float:
    """The ratio that gives an MLP of this width: `int(dim * ratio) == hidden`, rounding or not.

    >>> int(1408 * mlp_ratio(6144, 1408))
    6144
    """
    return hidden / dim if int(dim * (hidden / dim)) == hidden else (hidden + 0.5) / dim


def vit_sizes(config: Foreign, norm_eps: float) -> dict[str, Any]:
    """Width, depth, heads, MLP and norms, which HF's ViT, ViViT, VideoMAE and TimeSformer write under the same keys.

    Args:
        norm_eps: what the model's norms have where the configuration does not say.
    """
    dim = config.whole("hidden_size", 768)
    return {
        "embed_dim": dim,
        "depth": config.whole("num_hidden_layers", 12, most=1000),
        "num_heads": config.whole("num_attention_heads", 12),
        "mlp_ratio": mlp_ratio(config.whole("intermediate_size", 3072), dim),
        "norm_eps": config.number("layer_norm_eps", norm_eps),
    }


def prefixed(weights: dict[str, Tensor], model: str, *outside: str) -> dict[str, Tensor]:
    """The weights with `model.` before every name but those of the layers `outside`: a model saved without its head
    has names without it."""
    if any(name.startswith(f"{model}.") for name in weights):
        return weights
    return {name if name.startswith(outside) else f"{model}.{name}": value for name, value in weights.items()}


def num_classes(weights: dict[str, Tensor]) -> tuple[int, list[str]]:
    """Number of classes, and which of our layers are absent. Without a head there are 400 classes to come."""
    return (weights["classifier.weight"].shape[0], []) if "classifier.weight" in weights else (400, ["head"])


def names_by_id(config: Foreign, num_classes: int) -> tuple[list[str], list[str]]:
    """The labels of `id2label` in order, and a line where they cannot be names (weights are loaded all the same).

    Neither where there is none, or only HF's placeholders.
    """
    found = config.raw("id2label")
    if isinstance(found, list):
        found = dict(enumerate(found))
    if found is None or found == {} or _placeholders(found):
        return [], []
    labels: dict[int, str] = {}
    if isinstance(found, dict):
        numbered = {_number(key): label for key, label in found.items()}
        labels = {key: str(label) for key, label in numbered.items() if key is not None and _is_name(label)}
        if len(labels) == len(found) and sorted(labels) == list(range(num_classes)):
            return [labels[number] for number in range(num_classes)], []
    if labels and len(labels) == len(found):
        held = f"has {len(labels)} names, numbered {min(labels)} to {max(labels)}"
    else:
        shown = repr(found)
        held = f"is {shown if len(shown) <= 60 else shown[:57] + '...'}"
    return [], [
        f"class names: not taken over; id2label in {config.file.name} {held}; wanted a name for each of 0 to "
        f"{num_classes - 1}: edit or remove id2label"
    ]


def _placeholders(found: Any) -> bool:
    return isinstance(found, dict) and all(re.fullmatch(r"LABEL_\d+", str(label)) for label in found.values())


def _number(key: Any) -> int | None:
    """A class's number, which JSON writes as text."""
    try:
        return int(key)
    except (TypeError, ValueError):
        return None


def _is_name(label: Any) -> bool:
    return isinstance(label, str | int | float) and not isinstance(label, bool)
