"""From facts to a verdict: class, objection, jurisdiction, registers, basis, form, duties; it reads no file."""
