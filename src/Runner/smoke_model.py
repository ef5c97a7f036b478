"""A character model over a frozen random base, with a low-rank adapter on both layers: forward, backward, AdamW.

    x = the embeddings of 4 characters (32 numbers);  h = tanh(W1' x);  logits = W2' h;  W' = W + (alpha / r) B A

Only A and B are trained. A is random, B zero, so the first step starts from the base, as LoRA does.
"""
import math
import random
from operator import mul

CONTEXT, EMBEDDING, HIDDEN = 4, 8, 48


def dot(a, b):
    return sum(map(mul, a, b))


def matrix(source, rows, columns, deviation):
    return [[source.gauss(0.0, deviation) for _ in range(columns)] for _ in range(rows)]


def transpose(rows):
    return list(zip(*rows))


class Layer:
    """A frozen matrix with its adapter."""

    def __init__(self, source, rows, columns, deviation, r, scale):
        self.frozen = matrix(source, rows, columns, deviation)
        self.a = matrix(source, r, columns, 1.0 / math.sqrt(columns))
        self.b = [[0.0] * r for _ in range(rows)]
        self.scale = scale

    def effective(self):
        columns, scale = transpose(self.a), self.scale
        return [[w + scale * dot(b, a) for w, a in zip(row, columns)] for row, b in zip(self.frozen, self.b)]

    def gradients(self, inputs, outputs):
        """(dA, dB) of a batch, from inputs x and output gradients d; never a product of the layer's full size."""
        a, b_columns, scale = self.a, transpose(self.b), self.scale
        narrow = transpose([[dot(row, x) for row in a] for x in inputs])
        back = transpose([[dot(column, d) for column in b_columns] for d in outputs])
        x_columns, d_columns = transpose(inputs), transpose(outputs)
        return ([[scale * dot(u, x) for x in x_columns] for u in back],
                [[scale * dot(d, z) for z in narrow] for d in d_columns])


class Model:
    def __init__(self, vocabulary, r, alpha, seed):
        source = random.Random(seed)
        self.embedding = matrix(source, vocabulary, EMBEDDING, 1.0)
        scale = alpha / r
        self.layers = {
            "fc1": Layer(source, HIDDEN, CONTEXT * EMBEDDING, 1.0 / math.sqrt(CONTEXT * EMBEDDING), r, scale),
            "fc2": Layer(source, vocabulary, HIDDEN, 0.02, r, scale),
        }

    def parameters(self):
        """Name -> matrix (rows are changed in place), in the order of the adapter file."""
        return {"base_model.model.%s.lora_%s.weight" % (name, which): getattr(layer, which.lower())
                for name, layer in self.layers.items() for which in "AB"}

    def all_parameters(self):
        frozen = [self.embedding] + [layer.frozen for layer in self.layers.values()]
        return sum(len(rows) * len(rows[0]) for rows in frozen + list(self.parameters().values()))

    def embed(self, window):
        return [value for token in window for value in self.embedding[token]]

    def _forward(self, first, second, x):
        h = [math.tanh(dot(row, x)) for row in first]
        logits = [dot(row, h) for row in second]
        top = max(logits)
        exponentials = [math.exp(value - top) for value in logits]
        return h, exponentials, sum(exponentials)

    def loss(self, windows):
        """Mean cross-entropy of the last token of each window."""
        first, second = (layer.effective() for layer in self.layers.values())
        total = 0.0
        for window in windows:
            _, exponentials, norm = self._forward(first, second, self.embed(window[:-1]))
            total -= math.log(max(exponentials[window[-1]] / norm, 1e-300))
        return total / len(windows)

    def step_gradients(self, windows):
        """(mean loss, gradients in the order of parameters()) of a batch."""
        first, second = (layer.effective() for layer in self.layers.values())
        second_columns = transpose(second)
        share = 1.0 / len(windows)
        xs, hs, d1s, d2s, total = [], [], [], [], 0.0
        for window in windows:
            x, target = self.embed(window[:-1]), window[-1]
            h, exponentials, norm = self._forward(first, second, x)
            total -= math.log(max(exponentials[target] / norm, 1e-300))
            factor = share / norm
            d2 = [factor * value for value in exponentials]
            d2[target] -= share
            xs.append(x)
            hs.append(h)
            d2s.append(d2)
            d1s.append([dot(column, d2) * (1.0 - value * value) for column, value in zip(second_columns, h)])
        return total * share, [*self.layers["fc1"].gradients(xs, d1s), *self.layers["fc2"].gradients(hs, d2s)]

    def continue_text(self, window, length):
        """Greedy continuation of CONTEXT tokens."""
        first, second = (layer.effective() for layer in self.layers.values())
        window = list(window)
        while len(window) < CONTEXT + length:
            _, exponentials, _ = self._forward(first, second, self.embed(window[-CONTEXT:]))
            window.append(exponentials.index(max(exponentials)))
        return window


class AdamW:
    def __init__(self, parameters, weight_decay):
        self.first = [[[0.0] * len(row) for row in rows] for rows in parameters]
        self.second = [[[0.0] * len(row) for row in rows] for rows in parameters]
        self.weight_decay = weight_decay

    def step(self, parameters, gradients, rate, number, max_norm):
        """Updates in place; returns the gradient's norm before clipping."""
        norm = math.sqrt(sum(dot(row, row) for rows in gradients for row in rows))
        clip = min(1.0, max_norm / norm) if norm > 0 else 1.0
        keep1, keep2 = 0.9, 0.999
        step = rate / (1.0 - keep1 ** number)
        correction = 1.0 / (1.0 - keep2 ** number)
        decay = 1.0 - rate * self.weight_decay
        for rows, grads, firsts, seconds in zip(parameters, gradients, self.first, self.second):
            for row, grad, first, second in zip(rows, grads, firsts, seconds):
                for i, g in enumerate(grad):
                    g *= clip
                    first[i] = m = keep1 * first[i] + (1.0 - keep1) * g
                    second[i] = v = keep2 * second[i] + (1.0 - keep2) * g * g
                    row[i] = row[i] * decay - step * m / (math.sqrt(v * correction) + 1e-8)
        return norm
