from textkit import count_words, most_common


def test_words_are_counted_whatever_their_case():
    assert count_words("The cat and the hat") == {"the": 2, "cat": 1, "and": 1, "hat": 1}


def test_an_apostrophe_belongs_to_its_word():
    assert count_words("don't") == {"don't": 1}


def test_equally_frequent_words_stand_in_alphabetical_order():
    assert most_common("b a c c", limit=3) == ["c", "a", "b"]
