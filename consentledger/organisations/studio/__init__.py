"""The form studio: purposes, wordings and a form in one go, from what a person wrote down."""
