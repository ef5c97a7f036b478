"""The adapter as PEFT reads it: safetensors (huggingface/safetensors README) and adapter_config.json."""
import json
import struct


def safetensors(tensors):
    """name -> rows of floats (a matrix), as F32, in the order given."""
    header, buffer = {"__metadata__": {"format": "pt"}}, b""
    for name, rows in tensors.items():
        flat = [value for row in rows for value in row]
        data = struct.pack("<%df" % len(flat), *flat)
        header[name] = {"dtype": "F32", "shape": [len(rows), len(rows[0])], "data_offsets": [len(buffer), len(buffer) + len(data)]}
        buffer += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the buffer starts at a multiple of 8
    return struct.pack("<Q", len(text)) + text + buffer


def config(base, revision, r, alpha, targets):
    return {
        "peft_type": "LORA", "task_type": None, "base_model_name_or_path": base, "revision": revision, "inference_mode": True,
        "r": r, "lora_alpha": alpha, "lora_dropout": 0.0, "target_modules": targets, "bias": "none", "fan_in_fan_out": False,
        "init_lora_weights": True, "use_rslora": False, "use_dora": False, "modules_to_save": None, "peft_version": "0.20.0",
    }
