//! Texts in other encodings, padded, joined, cut or packed badly: every whole record is read, and what is lost is reported.
