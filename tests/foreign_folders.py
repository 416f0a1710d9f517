"""Small models of Hugging Face's and timm's with random weights, in folders as these libraries write them."""

import json

import torch
from safetensors.torch import save_file

SIZES = {
    "image_size": 32,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "id2label": {0: "walk", 1: "run", 2: "sit"},
}


HF = {
    "timesformer": (
        "Timesformer",
        "VideoClassification",
        "TimesformerVideoProcessor",
        {"patch_size": 8, "num_frames": 4},
    ),
    "videomae": ("VideoMAE", "VideoClassification", "VideoMAEImageProcessor", {"patch_size": 8, "num_frames": 4}),
    "vivit": ("Vivit", "VideoClassification", "VivitImageProcessor", {"tubelet_size": [2, 8, 8], "num_frames": 4}),
    "vit": ("ViT", "ImageClassification", "ViTImageProcessor", {"patch_size": 8}),
}


def randomised(model):
    """Every parameter random, norms about one."""
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("norm" in name and "weight" in name), std=0.15)
    return model.eval()


def hf_model(kind, **changes):
    import transformers  # not needed by all tests that stand here

    name, task, _, more = HF[kind]
    config = getattr(transformers, f"{name}Config")(**SIZES | more | changes)
    return randomised(getattr(transformers, f"{name}For{task}")(config))


def hf_folder(folder, kind, **changes):
    import transformers

    hf_model(kind, **changes).save_pretrained(folder)
    getattr(transformers, HF[kind][2])().save_pretrained(folder)
    return folder


def timm_folder(folder, about=None, **arguments):
    """What timm's `save_for_hf` writes."""
    import timm

    given = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 1, "num_heads": 4, "num_classes": 3} | arguments
    model = randomised(timm.models.VisionTransformer(**given))
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, folder / "model.safetensors")
    trained = {
        "input_size": [3, 32, 32],
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "crop_pct": 0.9,
        "interpolation": "bicubic",
    }
    written = {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": 3,
        "num_features": 32,
        "global_pool": given.get("global_pool", "token"),
        "model_args": given,
        "pretrained_cfg": trained,
        "label_names": ["walk", "run", "sit"],
    }
    (folder / "config.json").write_text(json.dumps(written | (about or {})))
    return model
