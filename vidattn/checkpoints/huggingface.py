"""Names in Hugging Face's TimeSformer (`TimesformerForVideoClassification`, transformers 5)."""

from vidattn.checkpoints.names import Names

_EMBEDDINGS = "timesformer.embeddings"
_LAYER = "timesformer.encoder.layer.{i}"

_SHARED = {
    "prefix": f"{_EMBEDDINGS}.cls_token",
    "position.table": f"{_EMBEDDINGS}.position_embeddings",
    "patch": f"{_EMBEDDINGS}.patch_embeddings.projection",
    "blocks.{i}.mlp_norm": f"{_LAYER}.layernorm_after",
    "blocks.{i}.mlp.fc1": f"{_LAYER}.intermediate.dense",
    "blocks.{i}.mlp.fc2": f"{_LAYER}.output.dense",
    "norm": "timesformer.layernorm",
    "head": "classifier",
}

SPACE: Names = {
    **_SHARED,
    "blocks.{i}.norms.0": f"{_LAYER}.layernorm_before",
    "blocks.{i}.steps.0.attn.qkv": f"{_LAYER}.attention.attention.qkv",
    "blocks.{i}.steps.0.attn.proj": f"{_LAYER}.attention.output.dense",
}

JOINT: Names = {**SPACE, "time.table": f"{_EMBEDDINGS}.time_embeddings"}

DIVIDED: Names = {
    **_SHARED,
    "time.table": f"{_EMBEDDINGS}.time_embeddings",
    "blocks.{i}.norms.0": f"{_LAYER}.temporal_layernorm",
    "blocks.{i}.steps.0.attn.qkv": f"{_LAYER}.temporal_attention.attention.qkv",
    "blocks.{i}.steps.0.attn.proj": f"{_LAYER}.temporal_attention.output.dense",
    "blocks.{i}.steps.0.fc": f"{_LAYER}.temporal_dense",
    "blocks.{i}.norms.1": f"{_LAYER}.layernorm_before",
    "blocks.{i}.steps.1.attn.qkv": f"{_LAYER}.attention.attention.qkv",
    "blocks.{i}.steps.1.attn.proj": f"{_LAYER}.attention.output.dense",
}

SCHEMES: dict[str, Names] = {"space": SPACE, "joint": JOINT, "divided": DIVIDED, "time+space": DIVIDED}
"""The table of each scheme that this model knows."""
