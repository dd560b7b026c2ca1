import math

import numpy as np
import pytest

from bot.match import Candidate, Match, Weights, choose, passage_vectors, query_vector

WEIGHTS = Weights(feeling=0.8, meaning=0.6)
SEEDS = range(200)


def line(passage: int, song: int, score: float) -> Candidate:
    return Candidate(passage, song, is_story=False, score=score)


def story(passage: int, song: int, score: float) -> Candidate:
    return Candidate(passage, song, is_story=True, score=score)


def shown(candidates: list[Candidate], count: int = 3, seed: int = 0, **options: object) -> list[int]:
    return [match.song for match in choose(candidates, count, seed=seed, **options)]


def test_two_passages_are_near_by_feeling_and_by_meaning() -> None:
    feelings = np.array([[0.64, 0.36, 0, 0, 0], [0.25, 0.25, 0.25, 0.25, 0]], np.float32)
    meanings = np.array([[0.6, 0.8], [1, 0]], np.float32)
    one, other = passage_vectors(feelings, meanings, WEIGHTS)
    # Bhattacharyya: 0.8 · 0.5 + 0.6 · 0.5 = 0.7; cosine: 0.6.
    assert one @ other == pytest.approx(0.64 * 0.7 + 0.36 * 0.6)
    assert one @ one == pytest.approx(1)
    assert one == pytest.approx([0.64, 0.48, 0, 0, 0, 0.36, 0.48])
    assert passage_vectors(feelings, meanings, WEIGHTS).dtype == np.float32


def test_a_message_is_sought_by_its_feelings_and_not_by_the_lack_of_one() -> None:
    query = query_vector([0.49, 0.16, 0, 0, 0.35], np.array([0.6, 0.8], np.float32), WEIGHTS)
    assert query == pytest.approx([0.8 * 0.7, 0.8 * 0.4, 0, 0, 0, 0.36, 0.48])


def test_a_message_with_little_feeling_keeps_its_direction() -> None:
    query = query_vector([0.06, 0.02, 0.02, 0, 0.9], np.zeros(2, np.float32), WEIGHTS)
    assert query[:5] ** 2 / 0.64 == pytest.approx([0.18, 0.06, 0.06, 0, 0], abs=1e-6)


def test_a_message_without_feeling_seeks_all_four_alike() -> None:
    query = query_vector([0, 0, 0, 0, 1], np.array([1, 0], np.float32), WEIGHTS)
    assert len({round(float(value), 6) for value in query[:4]}) == 1
    assert query[0] > 0
    assert query[4] == 0
    assert query[5] == pytest.approx(0.6)
    assert np.isfinite(query).all()


def test_a_message_without_meaning_is_still_sought_by_feeling() -> None:
    query = query_vector([1, 0, 0, 0, 0], np.zeros(3, np.float32), WEIGHTS)
    near, far = passage_vectors(np.eye(5, dtype=np.float32)[[0, 2]], np.zeros((2, 3), np.float32), WEIGHTS)
    assert query @ near == pytest.approx(0.64)
    assert query @ far == pytest.approx(0)


def test_the_best_songs_come_best_first() -> None:
    assert shown([line(1, 10, 0.2), line(2, 20, 0.9), line(3, 30, 0.6), line(4, 40, 0.4)]) == [20, 30, 40]


def test_no_song_comes_twice() -> None:
    candidates = [line(n, n % 4, 0.9 - n / 1000) for n in range(40)]
    for seed in SEEDS:
        songs = shown(candidates, 5, seed)
        assert len(songs) == len(set(songs)) == 4


def test_a_second_line_comes_when_it_is_nearly_as_good() -> None:
    near, far = line(2, 1, 0.88), line(3, 2, 0.5)
    first, second = choose([line(1, 1, 0.9), near, line(4, 1, 0.87), line(5, 2, 0.7), far], 2, seed=0)
    assert first == Match(1, 0.9, (1, 2), is_story=False)
    assert second == Match(2, 0.7, (5,), is_story=False)


def test_a_story_comes_alone() -> None:
    (match,) = choose([story(1, 1, 0.9), story(2, 1, 0.9)], 3, seed=0)
    assert match.passages == (1,)
    assert match.is_story


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_there_are_as_many_songs_as_asked_for_or_as_there_are(count: int) -> None:
    candidates = [line(n, n, 0.5) for n in range(4)]
    assert len(shown(candidates, count)) == min(count, 4)
    assert shown([], count) == []


def test_the_same_seed_gives_the_same_songs_whatever_the_order_of_the_candidates() -> None:
    candidates = [line(n, n // 2, 0.8 + 0.0001 * n) for n in range(60)]
    for seed in range(20):
        assert choose(candidates, 3, seed=seed) == choose(reversed(candidates), 3, seed=seed)


def test_other_seeds_give_other_songs_among_those_that_fit_about_equally() -> None:
    candidates = [line(n, n, 0.8 - 0.001 * n) for n in range(20)]
    assert len({tuple(shown(candidates, 3, seed)) for seed in SEEDS}) > 50


def test_no_seed_brings_a_song_that_fits_badly() -> None:
    candidates = [line(n, n, 0.8) for n in range(5)] + [line(9, 9, 0.4)]
    assert all(9 not in shown(candidates, 3, seed) for seed in SEEDS)


def test_songs_shown_lately_step_back_behind_those_that_fit_nearly_as_well() -> None:
    candidates = [line(n, n, 0.9 - 0.01 * n) for n in range(6)]
    assert set(shown(candidates, 3, recent={0, 1, 2})) == {3, 4, 5}


def test_a_song_shown_lately_still_comes_where_nothing_else_fits() -> None:
    assert shown([line(1, 1, 0.9), line(2, 2, 0.3)], 1, recent={1}) == [1]


def test_the_score_told_is_the_fit_and_not_the_luck() -> None:
    (match,) = choose([line(1, 1, 0.9)], 1, seed=3, recent={1})
    assert match.score == 0.9


def test_both_kinds_come_where_both_fit() -> None:
    lyrics = [line(n, n, 0.9) for n in range(10)]
    stories = [story(n, n, 0.9) for n in range(20, 30)]
    for seed in SEEDS:
        kinds = {match.is_story for match in choose([*lyrics, story(50, 50, 0.88)], 3, seed=seed)}
        assert kinds == {False, True}
        kinds = {match.is_story for match in choose([*stories, line(50, 50, 0.88)], 3, seed=seed)}
        assert kinds == {False, True}


def test_the_other_kind_stays_away_where_it_fits_badly() -> None:
    lyrics = [line(n, n, 0.9) for n in range(10)]
    for seed in SEEDS:
        assert 50 not in shown([*lyrics, story(50, 50, 0.6)], 3, seed)


def test_one_song_is_the_best_one_of_either_kind() -> None:
    assert shown([line(1, 1, 0.9), story(2, 2, 0.7)], 1) == [1]


def test_the_weights_may_be_of_any_size() -> None:
    rows = passage_vectors(np.full((3, 5), 0.2, np.float32), np.zeros((3, 4), np.float32), Weights(1, 0))
    assert rows.shape == (3, 9)
    assert rows[0, 0] == pytest.approx(math.sqrt(0.2))
