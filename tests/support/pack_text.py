"""A rule pack with one of everything, small enough to be read whole, and one that inherits from it."""

from __future__ import annotations

# A pack with one of everything, small enough to be read here.
GOOD = """
id = "DE"
version = "1"
title = "Somewhere"
status = "published"
confidence = "high"
reviewed_on = 2026-11-21
valid_from = 2018-05-25
countries = ["DE"]

[[citations]]
id = "law"
title = "The law"
section = "all of it"
url = "https://law.example"
kind = "primary"

[objection]
says = "Stop ends it."
citations = ["law"]
[service]
says = "Service is no marketing."
citations = ["law"]
[regime.email]
natural = "opt_in"
legal = "opt_out"
says = "Consent first."
citations = ["law"]
[regime.sms]
natural = "opt_in"
legal = "opt_out_register"
register = "DE-LIST"
says = "Consent first."
citations = ["law"]
[exception]
available = true
channels = ["email"]
persons = ["natural"]
triggers = ["sale_paid", "inquiry"]
risk_triggers = ["inquiry"]
says = "Customers may hear."
citations = ["law"]
[[exception.periods]]
triggers = ["sale_paid"]
count = 24
unit = "months"
says = "For two years."
citations = ["law"]
[consent]
standard = "gdpr_consent"
double_opt_in = "recommended"
dormancy_warning_months = 24
says = "Shown by the sender."
citations = ["law"]
[identity]
legal_name = "required"
postal_address = "required"
contact_channel = "required"
says = "Not disguised."
citations = ["law"]
[unsubscribe]
days = 5
unit = "business_days"
says = "Out at once."
citations = ["law"]
[calendar]
zones = ["Europe/Berlin"]
holidays = [2026-12-25]
holidays_from = 2026-01-01
holidays_until = 2027-01-01
[[labels]]
value = "(AD)"
channels = ["email"]
says = "First in the subject."
citations = ["law"]
[[registers]]
code = "DE-LIST"
name = "the list"
url = "https://list.example"
channels = ["sms"]
must_check = true
max_age_days = 30
says = "Look first."
citations = ["law"]
[[hours]]
channels = ["sms"]
days = ["mon", "holiday"]
opens = "08:00"
closes = "24:00"
says = "By day."
citations = ["law"]
[[complaints]]
name = "the authority"
url = "https://authority.example"
"""
CHILD = """
inherits = "DE@1"
id = "AT"
version = "1"
title = "Its neighbour"
status = "published"
confidence = "high"
reviewed_on = 2026-11-21
valid_from = 2020-01-01
countries = ["AT"]
"""
