"""Metal and CUDA to C++: only what C++ has no words for is rewritten, and every line stays where it is.

    const device T* row = x + i;         gpu::Pointer<const T, gpu::device_memory> row = x + i;
    threadgroup float part[32], total;   GPU_SHARED(float[32], part) GPU_SHARED(float, total)
    reinterpret_cast<const float4*>(x)   gpu::cast<gpu::Pointer<const float4, ...>>(x)

The pointers know how long their array is, and threadgroup memory notes who touches it: see include/memory.hpp.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dl_exp.emulator.tokens import Untranslatable, closing_angle, line_of, next_word, require_pairs, tokens_of
from dl_exp.emulator.types import TYPES, declared
from dl_exp.kernel import Language

SPACES = {"device": "device_memory", "constant": "constant_memory", "threadgroup": "threadgroup_memory"}
UNSEEN = ("volatile", "static")  # words that change nothing here
WHOLE = "this is a whole kernel: leave only what stands between its braces, since MLX writes the signature around it"
INCLUDES = re.compile(r"^[ \t]*#[ \t]*include[^\n]*", re.MULTILINE)


def translate(source: str, language: Language, types: Iterable[str] = ()) -> str:
    """C++ with the same number of lines; ``types`` are names of types that the source does not declare itself.

    Raises Untranslatable.
    """
    tokens = tokens_of(INCLUDES.sub("", source))
    require_pairs(tokens)
    return _Rewriter(tokens, language == "metal", frozenset(types)).text()


class _Rewriter:
    """One pass from left to right; ``out`` is what has been written."""

    def __init__(self, tokens: list[str], metal: bool, types: frozenset[str]) -> None:
        self.tokens = tokens
        self.metal = metal
        self.types = TYPES | types | declared(tokens)
        self.out: list[str] = []
        self.at = 0

    def text(self) -> str:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if self.metal and token in (*SPACES, "thread"):
                self._address_space(token)
            elif not self.metal and token == "__shared__":
                self.at += 1
                self._shared()
            elif not self.metal and token in self.types and next_word(self.tokens, self.at + 1)[1] == "*":
                self._pointer(token)
            elif token == "reinterpret_cast":
                self.out.append("gpu::cast")
                self.at += 1
            elif token in ("kernel", "__global__") and next_word(self.tokens, self.at + 1)[1] == "void":
                raise self._refusal(self.at, WHOLE)
            elif self.metal and token == "[" and next_word(self.tokens, self.at + 1)[1] == "[":
                self._attribute()
            else:
                self.out.append(token)
                self.at += 1
        return "".join(self.out)

    def _refusal(self, at: int, words: str) -> Untranslatable:
        return Untranslatable(f"line {line_of(self.tokens, at)}: {words}")

    def _type(self) -> tuple[list[str], list[str]]:
        """The words of a type from here on, such as ``const``, ``metal::vec<T, 4>``; and the spaces passed over."""
        words: list[str] = []
        spaces: list[str] = []
        while True:
            at, token = next_word(self.tokens, self.at)
            if not token.isidentifier() or token in ("operator",):
                return words, spaces
            spaces += self.tokens[self.at : at]
            word = token
            at += 1
            while at < len(self.tokens) and self.tokens[at] in ("::", "<"):
                if self.tokens[at] == "::":
                    word += "::" + self.tokens[at + 1]
                    at += 2
                    continue
                end = closing_angle(self.tokens, at)
                word += _Rewriter(self.tokens[at:end], self.metal, self.types).text()
                at = end
            words.append(word)
            self.at = at

    def _address_space(self, space: str) -> None:
        """``[const] space [const] type *`` is a pointer, with & a reference, and else declares a variable."""
        start = self.at
        self.at += 1
        words, spaces = self._type()
        at, token = next_word(self.tokens, self.at)
        words = [word for word in words if word != "volatile"]
        self._taken_back("volatile")
        if not words:
            raise self._refusal(start, f"write the type after {space!r}, as in `{space} float* p`")
        if token in ("*", "&") and space != "thread":
            constant = self._taken_back("const") or space == "constant"  # which nobody writes
            words = ["const"] * constant + [word for word in words if not (constant and word == "const")]
        if token == "*" and space != "thread":
            self.at = at + 1
            self.out.append(f"gpu::Pointer<{' '.join(words)}, gpu::{SPACES[space]}>" + _lines(spaces))
        elif space == "threadgroup" and token not in ("*", "&"):
            self.at = start + 1
            self._shared()
        else:
            self.out.append(" ".join(words) + _lines(spaces))

    def _pointer(self, type_: str) -> None:
        """CUDA's ``[const] type *``."""
        words = [*self._words_back(), type_]
        self.at = next_word(self.tokens, self.at + 1)[0] + 1
        pointer = f"gpu::Pointer<{' '.join(words)}>"
        while next_word(self.tokens, self.at)[1] == "*":  # a pointer to pointers
            self.at = next_word(self.tokens, self.at)[0] + 1
            pointer = f"gpu::Pointer<{pointer}>"
        self.out.append(pointer)

    def _words_back(self) -> list[str]:
        """Qualifiers that were written already: const, unsigned."""
        words: list[str] = []
        for word in ("unsigned", "volatile", "const", "volatile"):
            if self._taken_back(word) and word not in UNSEEN:
                words.insert(0, word)
        return words

    def _taken_back(self, word: str) -> bool:
        """Take the word back if it was the last one written, spaces apart."""
        k = len(self.out) - 1
        while k >= 0 and not self.out[k].strip():
            k -= 1
        if k < 0 or self.out[k] != word:
            return False
        self.out[k] = ""
        return True

    def _shared(self) -> None:
        """``type name[n][m], other;`` in threadgroup memory."""
        start = self.at
        words, spaces = self._type()
        if self._taken_back("extern"):
            raise self._refusal(start, "dynamic shared memory is not emulated: give it a length")
        self._taken_back("volatile")
        words = [word for word in words if word not in UNSEEN]
        if len(words) < 2:
            raise self._refusal(start, "threadgroup memory needs a type and a name")
        name = words.pop()
        type_ = " ".join(words)
        while True:
            extents = ""
            at, token = next_word(self.tokens, self.at)
            while token == "[":
                end = at
                while self.tokens[end] != "]":
                    end += 1
                extents += "".join(self.tokens[at : end + 1])
                self.at = end + 1
                at, token = next_word(self.tokens, self.at)
            self.out.append(f"GPU_SHARED(({type_}), {name}, {extents});" + _lines(spaces))
            if token == ",":
                self.at, name = next_word(self.tokens, at + 1)
                self.at += 1
                continue
            if token == ";":
                self.at = at + 1
                return
            raise self._refusal(start, "threadgroup memory cannot be initialised where it is declared")

    def _attribute(self) -> None:
        """``[[buffer(0)]]`` says nothing here."""
        depth, at = 0, self.at
        while at < len(self.tokens):
            if self.tokens[at] == "kernel":
                raise self._refusal(at, WHOLE)
            depth += {"[": 1, "]": -1}.get(self.tokens[at], 0)
            at += 1
            if depth == 0:
                break
        self.at = at


def _lines(spaces: list[str]) -> str:
    """The line ends among tokens that are left out: line numbers must stay."""
    return " " + "\n" * "".join(spaces).count("\n")
