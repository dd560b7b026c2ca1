r"""The article's worked example: CBOW with two context words, in NumPy, on one sentence.

The model is that of Mikolov, Chen, Corrado, Dean (2013), "Efficient Estimation of Word Vectors in Vector Space",
section 3.1; the gradients follow Rong (2014), "word2vec Parameter Learning Explained", sections 1.1 and 1.2, written
for a batch.
With V words, H hidden units and n examples,

    X (n, V)   a row holds 1/2 for each of the two context words (1 where both are the same word), 0 elsewhere
    h = X A    (n, H)  the mean of the two vectors; A (V, H) is shared by both places and is what one wants
    u = h B    (n, V)  a score for each word, B (H, V)
    p = softmax(u)
    L = -1/n Σ_i log p[i, t_i]                          t_i is the word in the middle

With Y the one-hot rows of t, the derivative of softmax and cross-entropy together is Rong's prediction error,
e = ∂L/∂u = (p - Y) / n, and the chain rule gives

    ∂L/∂B = hᵀ e            (H, V)
    ∂L/∂h = e Bᵀ            (n, H)   his EH
    ∂L/∂A = Xᵀ (e Bᵀ)       (V, H)   each context word gets its share, 1/2, of what reaches h
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.stage import Workshop

Array: TypeAlias = NDArray[np.float64]

SENTENCE = "You say goodbye and I say hello."
HIDDEN = 5
EPOCHS = 1_000
BATCH = 3
RATE = 1e-3


def run(shop: Workshop) -> None:
    """Prints the losses and the vectors, writes `simple_cbow.png`."""
    words = tokens(SENTENCE)
    vocabulary = list(dict.fromkeys(words))
    contexts, middles = examples([vocabulary.index(word) for word in words], len(vocabulary))
    model, losses = train(contexts, middles, np.random.default_rng(shop.config.seed))
    for epoch in (1, *range(100, EPOCHS + 1, 100)):
        print(f"epoch {epoch:5,}  loss {losses[epoch - 1]:.4f}")
    for word, vector in zip(vocabulary, model.inputs, strict=True):
        print(f"{word:8} [{' '.join(f'{number:7.4f}' for number in vector)}]")
    path = shop.path("simple_cbow.png")
    plot(losses, path)
    print(f"loss plot: {path}")


@dataclass(frozen=True, slots=True)
class Model:
    """The two matrices of the network."""

    inputs: Array
    """A, (words, hidden): a word's vector a row."""
    outputs: Array
    """B, (hidden, words)."""


def tokens(sentence: str) -> list[str]:
    """Words in lower case, the full stop a word of its own."""
    return sentence.lower().replace(".", " .").split()


def examples(ids: list[int], words: int) -> tuple[Array, NDArray[np.int64]]:
    """X, (examples, words), and the ids of the words in the middle, (examples,), with one word on each side."""
    one_hot = np.eye(words)[ids]
    return (one_hot[:-2] + one_hot[2:]) / 2, np.array(ids[1:-1])


def loss_and_gradients(model: Model, contexts: Array, middles: NDArray[np.int64]) -> tuple[float, Array, Array]:
    """The mean loss of a batch, ∂L/∂A and ∂L/∂B, as derived above."""
    hidden = contexts @ model.inputs
    scores = hidden @ model.outputs
    scores -= scores.max(axis=1, keepdims=True)  # the same softmax, and exp() cannot overflow
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    examples_here = np.arange(len(middles))
    error = np.exp(logs)
    error[examples_here, middles] -= 1
    error /= len(middles)
    loss = -float(logs[examples_here, middles].mean())
    return loss, contexts.T @ (error @ model.outputs.T), hidden.T @ error


@dataclass(slots=True)
class Adam:
    """Adam with bias correction (Kingma, Ba 2015, algorithm 1), over any number of matrices, changed in place."""

    rate: float = RATE
    first: float = 0.9
    second: float = 0.999
    _steps: int = 0
    _means: list[Array] = field(default_factory=list)
    _squares: list[Array] = field(default_factory=list)

    def step(self, matrices: list[Array], gradients: list[Array]) -> None:
        if not self._means:
            self._means = [np.zeros_like(matrix) for matrix in matrices]
            self._squares = [np.zeros_like(matrix) for matrix in matrices]
        self._steps += 1
        for matrix, gradient, mean, square in zip(matrices, gradients, self._means, self._squares, strict=True):
            mean += (1 - self.first) * (gradient - mean)
            square += (1 - self.second) * (gradient**2 - square)
            unbiased_mean = mean / (1 - self.first**self._steps)
            unbiased_square = square / (1 - self.second**self._steps)
            matrix -= self.rate * unbiased_mean / (np.sqrt(unbiased_square) + 1e-8)


def train(contexts: Array, middles: NDArray[np.int64], random: np.random.Generator) -> tuple[Model, list[float]]:
    """The model after all epochs, and the mean loss of each epoch."""
    words = contexts.shape[1]
    model = Model(0.01 * random.standard_normal((words, HIDDEN)), 0.01 * random.standard_normal((HIDDEN, words)))
    adam = Adam()
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        order = random.permutation(len(middles))
        for batch in np.split(order, range(BATCH, len(order), BATCH)):
            loss, *gradients = loss_and_gradients(model, contexts[batch], middles[batch])
            adam.step([model.inputs, model.outputs], gradients)
            total += loss * len(batch)
        losses.append(total / len(middles))
    return model, losses


def plot(losses: list[float], path: Path) -> None:
    """Draws the loss of every epoch into a picture."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(losses) + 1), losses)
    axes.set(xlabel="epoch", ylabel="loss", title=SENTENCE)
    figure.savefig(path, dpi=120)
