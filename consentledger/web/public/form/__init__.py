"""A sign-up form from the page that shows it to the post that is recorded.

served       the form as JSON with a token (form.json), element_words its sentences; embed the element's script
shown        the same as a page of ours; preview a draft of it
admitting    what a post must pass, step by step; again the form shown once more when it did not
signing_up   from a post that passed to the verb that records it
views        the addresses: /f/<form>, its frame, its JSON
"""
