"""Names in the official TimeSformer files (facebookresearch/TimeSformer, a5ef29a; `model_state` without `model.`)."""

from vidattn.checkpoints.names import Names

_SHARED = {
    "prefix": "cls_token",
    "position.table": "pos_embed",
    "patch": "patch_embed.proj",
    "blocks.{i}.mlp_norm": "blocks.{i}.norm2",
    "blocks.{i}.mlp.fc1": "blocks.{i}.mlp.fc1",
    "blocks.{i}.mlp.fc2": "blocks.{i}.mlp.fc2",
    "norm": "norm",
    "head": "head",
}

SPACE: Names = {
    **_SHARED,
    "blocks.{i}.norms.0": "blocks.{i}.norm1",
    "blocks.{i}.steps.0.attn.qkv": "blocks.{i}.attn.qkv",
    "blocks.{i}.steps.0.attn.proj": "blocks.{i}.attn.proj",
}

JOINT: Names = {**SPACE, "time.table": "time_embed"}

DIVIDED: Names = {
    **_SHARED,
    "time.table": "time_embed",
    "blocks.{i}.norms.0": "blocks.{i}.temporal_norm1",
    "blocks.{i}.steps.0.attn.qkv": "blocks.{i}.temporal_attn.qkv",
    "blocks.{i}.steps.0.attn.proj": "blocks.{i}.temporal_attn.proj",
    "blocks.{i}.steps.0.fc": "blocks.{i}.temporal_fc",
    "blocks.{i}.norms.1": "blocks.{i}.norm1",
    "blocks.{i}.steps.1.attn.qkv": "blocks.{i}.attn.qkv",
    "blocks.{i}.steps.1.attn.proj": "blocks.{i}.attn.proj",
}

SCHEMES: dict[str, Names] = {"space": SPACE, "joint": JOINT, "divided": DIVIDED, "time+space": DIVIDED}
"""The table of each scheme that the official code released."""
