"""Names of themes: the words that a good part of a theme's texts share and others do not."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import zip_longest

from ...wording import short_label

Words = tuple[tuple[str, float], ...]

MOST_WORDS = 3
LEAST_SHARE = 0.2  # of a theme's texts that hold a word of its name
LEAST_LIFT = 1.5  # times as frequent in the theme as in the list
# In over half of a list's texts, a word is about the list, or what "the" is in its language.
EVERYWHERE = 0.5
TYPICAL = 5  # texts that may name a theme whose texts share no word
LABEL = 48  # characters of a text that names its theme
# Scripts written without spaces between words: Thai to Burmese, Khmer, kana, Han.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
NEGATIONS = {"no", "not", "nothing", "never"}
# What scikit-learn's list lacks: contractions without an apostrophe, words that only stress.
MORE_STOP_WORDS = {"dont", "doesnt", "didnt", "cant", "couldnt", "wont", "isnt", "wasnt", "havent"}
MORE_STOP_WORDS |= {"im", "ive", "really", "just", "like", "did", "does", "doing", "got", "took"}
MORE_STOP_WORDS |= {"take", "came", "come", "went", "said", "told", "made", "make"}
TYPO_LENGTH = 5  # letters from which on a word may be another one with a typo
TYPO_TIMES = 3  # times as frequent as its typo is the right word


def name_themes(
    texts: Sequence[str],
    themes: Sequence[Sequence[int]],
    groups: Sequence[Sequence[Sequence[int]]] = (),
) -> list[tuple[str, Words]]:
    """Name themes by the words that their texts share and the rest of the list does not.

    Parameters
    ----------
    texts : sequence of str
        All different texts of the list.
    themes : sequence of sequence of int
        The positions of each theme's texts, the most typical first.
    groups : sequence of sequence of sequence of int, default ()
        Of each theme, the groups of its texts that say nearly the same, by their places in the
        theme. One group's texts alone give a theme no word.

    Returns
    -------
    list of (str, tuple of (str, float))
        A name for each theme, no two the same, and the words that it consists of, each with the
        share of the theme's texts that hold it. Where the texts share no word, the name is the
        most typical text, and there are no words.

    Notes
    -----
    Words are ordered by share times the logarithm of lift. At least two texts that do not say
    nearly the same, and a fifth of the theme's, hold each. English stop words are left out, but for
    no, not, nothing and never; in any language, words in over half of the list's texts, and those
    that are not much more frequent in the theme.

    Examples
    --------
    >>> texts = ["It came late.", "Late again", "Nice staff", "The staff was kind", "Too small"]
    >>> name_themes(texts, [[0, 1], [2, 3]])
    [('late', (('late', 1.0),)), ('staff', (('staff', 1.0),))]
    """
    words_of_texts = [words_of(text) for text in texts]
    frequencies = Counter(word for words in words_of_texts for word in words)
    names: list[tuple[str, Words]] = []
    used_names = set()
    for theme, theme_groups in zip_longest(themes, groups, fillvalue=()):
        members = [words_of_texts[text] for text in theme]
        shared = _shared_words(members, _statements(len(theme), theme_groups), frequencies, texts)
        name = ", ".join(word for word, _ in shared)
        if not shared or name in used_names:
            name, shared = short_label(_plainest([texts[text] for text in theme]), LABEL), ()
        number, unnumbered = 2, name
        while name in used_names:
            name = f"{unnumbered} ({number})"
            number += 1
        used_names.add(name)
        names.append((name, shared))
    return names


def words_of(text: str) -> set[str]:
    """Return the words of a text that may name a theme, in lowercase.

    Neither numbers, stop words nor single letters. In scripts that put no spaces between words,
    such as Chinese, pairs of characters.

    Examples
    --------
    >>> sorted(words_of("The 2 parcels didn't arrive, Ann's never: 学习好"))
    ['ann', 'arrive', 'never', 'parcels', '习好', '学习']
    """
    text = re.sub(r"\w+n['’]t\b", " ", text.lower())  # didn't
    words: set[str] = set()
    for word in _split_words(text):
        if any(unicodedata.category(character)[0] == "N" for character in word):
            continue
        if UNSPACED.search(word):
            words.update(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif len(word) > 1 and word not in _stop_words():
            words.add(word)
    return words


def _split_words(text: str) -> list[str]:
    if text.isascii():  # most texts: much faster
        return re.findall("[a-z0-9]+(?:-[a-z0-9]+)*", text)  # Wi-Fi is one word
    # Not \w, which takes no combining marks and so cuts Hindi and Thai words to pieces.
    letters = [c if c == "-" or unicodedata.category(c)[0] in "LMN" else " " for c in text]
    return [word.strip("-") for word in "".join(letters).replace("--", " ").split()]


@functools.cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset((ENGLISH_STOP_WORDS - NEGATIONS) | MORE_STOP_WORDS)


def _statements(text_count: int, groups: Sequence[Sequence[int]]) -> list[int]:
    """Number what a theme's texts say: those of a group say the same."""
    statements = list(range(text_count))
    for group in groups:
        for place in group:
            statements[place] = group[0]
    return statements


def _shared_words(
    members: list[set[str]],
    statements: list[int],
    frequencies: Counter[str],
    texts: Sequence[str],
) -> Words:
    """Return the words that most set a theme's texts apart, with their shares, best first."""
    counts = Counter(word for words in members for word in words)
    statements_by_word = defaultdict[str, set[int]](set)
    for words, statement in zip(members, statements, strict=True):
        for word in words:
            statements_by_word[word].add(statement)
    strengths = {}
    for word, count in counts.items():
        share = count / len(members)
        lift = share * len(texts) / frequencies[word]
        is_shared = len(statements_by_word[word]) >= 2 and share >= LEAST_SHARE
        is_everywhere = frequencies[word] > EVERYWHERE * len(texts)
        if is_shared and lift >= LEAST_LIFT and not is_everywhere:
            strengths[word] = round(share * math.log(lift), 9)
    chosen: list[str] = []
    for word in sorted(strengths, key=lambda word: (-strengths[word], word)):
        is_variant = any(_share_a_stem(word, earlier) for earlier in chosen)
        if not is_variant and not _is_typo(word, frequencies):
            chosen.append(word)
        if len(chosen) == MOST_WORDS:
            break
    return tuple((word, counts[word] / len(members)) for word in chosen)


def _plainest(texts: Sequence[str]) -> str:
    """Return the typical text with fewest words that no other has: these may be typos, or numbers.

    Of the five most typical texts; of equal ones, the more typical.
    """
    all_words = [text.casefold().split() for text in texts]
    frequencies = Counter(word for words in all_words for word in set(words))

    def oddities(place: int) -> int:
        words = all_words[place]
        number_count = sum(any(map(str.isdigit, word)) for word in words)
        return sum(frequencies[word] == 1 for word in words) + len(words) * number_count

    return texts[min(range(min(TYPICAL, len(texts))), key=oddities)]


def _share_a_stem(word: str, second: str) -> bool:
    """Check whether two words begin alike: refund and refunded, late and later."""
    letters = max(4, min(len(word), len(second)) - 2)
    return word[:letters] == second[:letters] or word.rstrip("s") == second.rstrip("s")


def _is_typo(word: str, frequencies: Counter[str]) -> bool:
    """Check whether a word is one letter away from a much more frequent one."""
    if len(word) < TYPO_LENGTH:
        return False
    least = TYPO_TIMES * frequencies[word]
    frequent = (word for word, count in frequencies.items() if count >= least)
    return any(_one_letter_away(word, correct) for correct in frequent)


def _one_letter_away(word: str, second: str) -> bool:
    """Check for a letter more, less, changed, or swapped with the next one."""
    if abs(len(word) - len(second)) > 1 or word == second:
        return False
    return bool(_without_a_letter(word) & _without_a_letter(second))


def _without_a_letter(word: str) -> set[str]:
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
