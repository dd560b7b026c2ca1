from bot.emotion import Emotion
from training import baselines
from training.dataset import Row

DICTIONARY = {
    "sadness": {"슬프다/VA": 0.8, "눈물/NNG": 0.6},
    "denial": {"기다리다/VV": 0.9},
    "anger": {"배신/NNG": 0.6, "밉다/VA": 0.55},
    "indifference": {},
}


def row(text: str, label: str = "none") -> Row:
    return Row(text, Emotion(label), None, "message", "messages_ko/01")


def test_majority_is_the_most_frequent_training_label() -> None:
    training = [row("a", "anger"), row("b", "anger"), row("c", "sadness")]
    assert baselines.majority(training, [row("d"), row("e")]) == ["anger", "anger"]


def test_the_emotion_with_the_most_words_wins_whatever_their_cosine() -> None:
    assert baselines.dictionary_label(DICTIONARY, ["배신/NNG", "밉다/VA", "기다리다/VV"]) == "anger"


def test_a_word_counts_as_often_as_it_stands_there() -> None:
    assert baselines.dictionary_label(DICTIONARY, ["눈물/NNG", "눈물/NNG", "기다리다/VV"]) == "sadness"


def test_of_as_many_words_the_nearer_decide() -> None:
    assert baselines.dictionary_label(DICTIONARY, ["슬프다/VA", "기다리다/VV"]) == "denial"
    assert baselines.dictionary_label(DICTIONARY, ["슬프다/VA", "배신/NNG"]) == "sadness"


def test_a_perfect_tie_goes_to_the_first_emotion() -> None:
    assert baselines.dictionary_label(DICTIONARY, ["배신/NNG", "눈물/NNG"]) == "sadness"


def test_no_word_is_no_label_and_counts_as_none() -> None:
    assert baselines.dictionary_label(DICTIONARY, ["점심/NNG"]) is None
    assert baselines.dictionary_label(DICTIONARY, []) is None
    assert baselines.count_dictionary(DICTIONARY, [row("점심 뭐 먹지"), row("눈물이 나")]) == ["none", "sadness"]


def test_support_vectors_learn_what_tells_labels_apart_the_same_each_time() -> None:
    training = [
        row(text, label) for text, label in (("눈물이 나", "sadness"), ("점심 뭐 먹지", "none")) for _ in range(4)
    ]
    rows = [row("눈물이 또 나네"), row("점심 먹었어")]
    assert baselines.support_vectors(training, rows, seed=20) == ["sadness", "none"]
    assert baselines.support_vectors(training, rows, seed=20) == baselines.support_vectors(training, rows, seed=20)
