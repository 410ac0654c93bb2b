"""What a class needs: checks of its notebooks, and a report on what learners hand in.

Names are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checking": ["check"],
        "describing": [
            "class_cautions",
            "describe_checks",
            "describe_files",
            "describe_guesses",
            "describe_model",
            "describe_people",
            "describe_spread_of_ratings",
        ],
        "gathering": [
            "checks_table",
            "files_table",
            "learners_table",
            "ratings_table",
            "read_gathered",
        ],
        "statistics": ["agreement_with_others", "check_failures", "class_means", "guess_errors"],
    },
)
