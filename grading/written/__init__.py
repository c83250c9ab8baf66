"""The written answers: what exercises/report.md asks, what stands in a handed-in one, and what a machine reads."""

from .answering import answer_records, question_records
from .costs import CostError, expect_measured
from .grading import MISSING, Written, grade_report, possible
from .keeping import REPORT, keep, kept_figures
from .sections import Section, sections
from .template import is_template, section_text, template

__all__ = [
    "MISSING",
    "REPORT",
    "CostError",
    "Section",
    "Written",
    "answer_records",
    "expect_measured",
    "grade_report",
    "is_template",
    "keep",
    "kept_figures",
    "possible",
    "question_records",
    "section_text",
    "sections",
    "template",
]
