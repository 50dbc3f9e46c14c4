"""What goes wrong with templates: a code, and one sentence for people."""

from __future__ import annotations

from keyvault.errors import KeyvaultError


class TemplateError(KeyvaultError):
    """A key, a context, a template or scores are refused. The text never holds anything of a vector.

    Codes:
        template_malformed: the bytes are not what they should be: cut off, too long, or out of range.
        template_foreign_context: two things that were handed in belong to different owners.
        template_wrong_key: the secret key does not open this.
        template_other_network: vectors of two networks, or of two lengths, are no match for one another.
        template_other_transform: a transformed template needs the transform that it was made with.
        template_vector_invalid: a vector is empty, too long, not finite, or has no direction.
        template_too_many: more templates or vectors than one call takes.

    Attributes:
        code: as above.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def malformed(what: str) -> TemplateError:
    """The error of bytes that are not what they should be."""
    return TemplateError("template_malformed", f"this is no {what}, or it was cut off or changed")


def wrong_key() -> TemplateError:
    """The error of a secret key that is another owner's."""
    return TemplateError("template_wrong_key", "this does not open with this key: it is another owner's")


def foreign_context() -> TemplateError:
    """The error of things of two owners."""
    return TemplateError(
        "template_foreign_context", "the template and the context are of different owners; they do not match"
    )
