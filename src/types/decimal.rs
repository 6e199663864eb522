//! decimal: its text and array forms.
