import re

import numpy as np
import pytest

from training import simple_cbow
from training.simple_cbow import Adam, Model, examples, loss_and_gradients, tokens
from training.stage import Workshop


def test_the_sentence_becomes_six_examples() -> None:
    words = tokens(simple_cbow.SENTENCE)
    assert words == ["you", "say", "goodbye", "and", "i", "say", "hello", "."]
    vocabulary = list(dict.fromkeys(words))
    contexts, middles = examples([vocabulary.index(word) for word in words], len(vocabulary))
    assert [vocabulary[i] for i in middles] == ["say", "goodbye", "and", "i", "say", "hello"]
    assert contexts.shape == (6, 7)
    assert contexts[0].tolist() == [0.5, 0, 0.5, 0, 0, 0, 0]


def test_the_gradients_agree_with_finite_differences() -> None:
    random = np.random.default_rng(3)
    model = Model(random.standard_normal((7, 5)), random.standard_normal((5, 7)))
    contexts, middles = examples([0, 1, 2, 3, 4, 1, 5, 6], 7)
    _, *gradients = loss_and_gradients(model, contexts, middles)
    step = 1e-6
    for matrix, gradient in zip((model.inputs, model.outputs), gradients, strict=True):
        for place in np.ndindex(matrix.shape):
            kept = matrix[place]
            matrix[place] = kept + step
            above = loss_and_gradients(model, contexts, middles)[0]
            matrix[place] = kept - step
            below = loss_and_gradients(model, contexts, middles)[0]
            matrix[place] = kept
            assert gradient[place] == pytest.approx((above - below) / (2 * step), abs=1e-8)


def test_the_same_word_on_both_sides_counts_whole() -> None:
    contexts, _ = examples([0, 1, 0], 2)
    assert contexts.tolist() == [[1, 0]]


def test_the_first_step_of_adam_is_its_rate() -> None:
    matrix = np.array([1.0, -2.0])
    Adam(rate=0.1).step([matrix], [np.array([4.0, -0.5])])
    np.testing.assert_allclose(matrix, [0.9, -1.9], atol=1e-6)


def test_it_prints_the_loss_and_the_vectors_and_saves_the_plot(
    shop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    simple_cbow.run(shop)
    first = capsys.readouterr().out
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", first)]
    assert len(losses) == 11
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(np.log(7), abs=0.01) and losses[-1] < 0.7
    for word in ("you", "say", "goodbye", "and", "i", "hello", "."):
        assert re.search(rf"^{re.escape(word)} +\[( *-?\d+\.\d+){{5}}\]$", first, re.MULTILINE)
    assert (shop.work / "simple_cbow.png").read_bytes().startswith(b"\x89PNG")
    simple_cbow.run(shop)
    assert capsys.readouterr().out == first
