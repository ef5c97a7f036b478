"""The smoke run: a real, tiny LoRA with python3 alone. Proves the whole chain for a cent before a long job."""
import json
import math
import os
import platform
import random
import shutil
import time

import adapter
import artifacts
import corpus
from smoke_model import CONTEXT, AdamW, Model
from stopping import STOPPED

LOG_EVERY = 10
DISK_FULL = 73


class SmokeRun:
    def __init__(self, spec, bundle, out, metrics, requests):
        self.spec, self.bundle, self.out, self.metrics, self.requests = spec, bundle, out, metrics, requests
        train, method = spec.section("train"), spec.section("method")
        self.batch = spec.positive("train.batch", 128)
        self.seed = train.get("seed", 1)
        self.peak_rate = train.get("lr", 0.01)
        self.max_norm = train.get("max_grad_norm", 1.0)
        self.r = spec.positive("method.r", 8)
        self.alpha = method.get("alpha", 16)
        self.save_every = spec.positive("save.steps", 100)
        self.keep = spec.positive("save.keep", 2)
        self.eval_every = spec.positive("eval.steps", 50)
        self.pace = spec.get("pace_s", 0)

        text, held_out, self.characters = corpus.load(bundle, spec.section("data"))
        numbers = {character: number for number, character in enumerate(self.characters)}
        self.tokens = [numbers[character] for character in text]
        self.samples = len(self.tokens) - CONTEXT
        self.total = train.get("max_steps") or self._steps_of(train.get("epochs"))
        self.warmup = train.get("warmup_steps", 20)
        kept = [numbers[character] for character in held_out]
        fixed = random.Random(self.seed + 2)
        starts = [fixed.randrange(len(kept) - CONTEXT) for _ in range(256)]
        self.held_out = [kept[start:start + CONTEXT + 1] for start in starts]

        self.model = Model(len(self.characters), self.r, self.alpha, self.seed)
        self.parameters = self.model.parameters()
        self.optimizer = AdamW(self.parameters.values(), train.get("weight_decay", 0.0))
        self.draw = random.Random(self.seed + 1)
        self.step, self.elapsed, self.loss, self.eval_loss = 0, 0.0, None, None
        self.checkpoint_bytes = 0

    def _steps_of(self, epochs):
        return max(1, math.ceil(self.samples / self.batch * epochs)) if epochs else 900

    def run(self):
        """Trains to the end or to a stop; returns the exit code."""
        self.metrics.phase("load")
        resumed = self._resume()
        self.metrics.write(
            "start", total_steps=self.total, epochs=round(self.total * self.batch / self.samples, 3), samples=self.samples,
            valid_samples=len(self.held_out), tokens_per_epoch=self.samples,
            trainable_params=sum(len(rows) * len(rows[0]) for rows in self.parameters.values()),
            all_params=self.model.all_parameters(), backend="stdlib", versions={"python": platform.python_version()},
            gpu_name=None, gpu_count=0, vram_mb=None, compute_cap=None, precision="float64", quant=None, resumed_from=resumed)
        print("smoke: %d steps, %d characters, vocabulary %d, LoRA r %d%s" % (
            self.total, len(self.tokens), len(self.characters), self.r, ", going on from step %d" % resumed if resumed else ""))
        self.metrics.phase("train")
        started_at, before = time.monotonic(), self.step
        losses, code = [], 0
        while self.step < self.total:
            if self.requests.stop():
                code = STOPPED
                break
            clock = time.monotonic()
            loss, norm, rate = self._optimize()
            losses.append(loss)
            if self.pace:
                self.requests.pause(self.pace)
            self.elapsed += time.monotonic() - clock
            if self.step == before + 1 or self.step % LOG_EVERY == 0 or self.step == self.total:
                self.loss = sum(losses) / len(losses)
                losses = []
                self._log(norm, rate, before)
            if self.step % self.eval_every == 0 or self.step == self.total:
                self._evaluate()
            due = self.step % self.save_every == 0
            if (self.requests.checkpoint() or due) and self.step < self.total and not self._save():
                return DISK_FULL
        self.metrics.phase("save")
        if not self._save():
            return DISK_FULL
        self._export("stopped" if code else "done", time.monotonic() - started_at)
        return code

    def _rate(self):
        """Warm-up, then a cosine to zero; for the step about to be made."""
        if self.step < self.warmup:
            return self.peak_rate * (self.step + 1) / self.warmup
        done = (self.step - self.warmup) / max(1, self.total - self.warmup)
        return self.peak_rate * 0.5 * (1.0 + math.cos(math.pi * done))

    def _optimize(self):
        starts = [self.draw.randrange(self.samples) for _ in range(self.batch)]
        loss, gradients = self.model.step_gradients([self.tokens[start:start + CONTEXT + 1] for start in starts])
        rate = self._rate()
        norm = self.optimizer.step(self.parameters.values(), gradients, rate, self.step + 1, self.max_norm)
        self.step += 1
        return loss, norm, rate

    def _log(self, norm, rate, before):
        made = (self.step - before) * self.batch
        epoch = round(self.step * self.batch / self.samples, 4)
        print({"loss": round(self.loss, 4), "grad_norm": round(norm, 4), "learning_rate": round(rate, 6), "epoch": epoch})
        self.metrics.write(
            "train", step=self.step, total_steps=self.total, epoch=epoch, loss=self.loss, grad_norm=norm, learning_rate=rate,
            tokens=self.step * self.batch, elapsed_s=round(self.elapsed, 3), tokens_per_s=round(made / max(self.elapsed, 1e-9), 1),
            vram_peak_mb=None)

    def _evaluate(self):
        clock = time.monotonic()
        self.eval_loss = self.model.loss(self.held_out)
        epoch = round(self.step * self.batch / self.samples, 4)
        print({"eval_loss": round(self.eval_loss, 4), "epoch": epoch})
        self.metrics.write("eval", step=self.step, epoch=epoch, eval_loss=self.eval_loss, eval_samples=len(self.held_out),
                           eval_s=round(time.monotonic() - clock, 3))

    def _state(self):
        return {"step": self.step, "parameters": self.parameters, "first": self.optimizer.first, "second": self.optimizer.second,
                "random": self.draw.getstate(), "characters": "".join(self.characters), "loss": self.loss, "eval_loss": self.eval_loss}

    def _save(self):
        """Writes a checkpoint and drops old ones; False when the disk does not hold another two."""
        need = 2 * self.checkpoint_bytes + 200 * 1000 * 1000
        if shutil.disk_usage(self.out).free < need:
            artifacts.prune(self.out, 1)
            if shutil.disk_usage(self.out).free < need:
                print("disk full: a checkpoint needs %d MB free" % (need // 1000000))
                return False
        clock = time.monotonic()
        name = "checkpoint-%d" % self.step
        if not artifacts.is_complete(os.path.join(self.out, name)):
            size, digest = artifacts.write_directory(os.path.join(self.out, name), {
                "state.json": self._state(), "adapter_model.safetensors": adapter.safetensors(self.parameters),
                "adapter_config.json": self._adapter_config()})
            self.checkpoint_bytes = size
            self.metrics.write("checkpoint", step=self.step, path="out/" + name, bytes=size,
                               seconds=round(time.monotonic() - clock, 3), sha256=digest)
            print("checkpoint at step %d" % self.step)
        artifacts.prune(self.out, self.keep)
        return True

    def _resume(self):
        """Takes up the newest whole checkpoint, exactly: JSON keeps every bit of a float. Returns its step, or None."""
        found = artifacts.to_resume(self.out, self.bundle)
        if not found:
            return None
        with open(os.path.join(found[1], "state.json"), encoding="utf-8") as file:
            state = json.load(file)
        if state["characters"] != "".join(self.characters):
            print("the checkpoint of step %d belongs to other data: starting anew" % found[0])
            return None
        for name, rows in state["parameters"].items():
            self.parameters[name][:] = rows
        self.optimizer.first, self.optimizer.second = state["first"], state["second"]
        kind, numbers, rest = state["random"]
        self.draw.setstate((kind, tuple(numbers), rest))
        self.step, self.loss, self.eval_loss = state["step"], state["loss"], state["eval_loss"]
        return self.step

    def _adapter_config(self):
        return adapter.config("smoke", self.spec.section("model").get("revision"), self.r, self.alpha, list(self.model.layers))

    def _export(self, reason, seconds):
        artifacts.write_directory(os.path.join(self.out, "adapter"), {
            "adapter_model.safetensors": adapter.safetensors(self.parameters), "adapter_config.json": self._adapter_config()})
        tokens = self.step * self.batch
        artifacts.write(os.path.join(self.out, "result.json"), {
            "v": 1, "backend": "stdlib", "reason": reason, "step": self.step, "total_steps": self.total, "train_loss": self.loss,
            "eval_loss": self.eval_loss, "tokens": tokens, "seconds": round(seconds, 3), "vram_peak_mb": None,
            "versions": {"python": platform.python_version()}})
        for prompt in self.held_out[:3]:
            said = self.model.continue_text(prompt[:CONTEXT], 60)
            print("sample: %s" % json.dumps("".join(self.characters[token] for token in said), ensure_ascii=False))
        artifacts.write_manifest(self.out, ["adapter", "result.json"])
        self.metrics.write("end", step=self.step, reason=reason, train_loss=self.loss, eval_loss=self.eval_loss, tokens=tokens,
                           elapsed_s=round(self.elapsed, 3), vram_peak_mb=None)
