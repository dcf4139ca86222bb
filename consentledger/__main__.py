"""Lets `python -m consentledger` be the same as the command `consentledger`."""

from __future__ import annotations

from consentledger.cli import main

if __name__ == "__main__":
    main()
