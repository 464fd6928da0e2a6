"""The one exception for what a user can put right."""


class UserError(Exception):
    """A mistake the user can correct: one sentence that says what, where, and how to fix it.

    The command line prints the sentence on stderr and exits with code 2, without a traceback.
    """
