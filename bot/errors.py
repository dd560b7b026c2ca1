"""What can go wrong in a way a person can mend: each error is a sentence of `bot/locales` and what to do about it."""

from bot.locales import sentences


class EbyulError(Exception):
    """An expected failure, told by a key of the locales and the values its sentence names.

    `str()` gives the English sentence, for logs and tracebacks; `tell` gives it in the person's language.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def tell(self, locale: str) -> str:
        return sentences(locale)(self.key, **self.values)

    def __str__(self) -> str:
        return self.tell("en")


class SettingsError(EbyulError):
    """A setting that cannot be used."""


class BundleError(EbyulError):
    """A folder of `exported/` that is missing, damaged or made for another version."""


class StoreError(EbyulError):
    """A database that cannot be opened, read or written."""
