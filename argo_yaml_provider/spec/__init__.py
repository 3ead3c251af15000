"""The file as typed data, nothing resolved: every field known, its type checked, its support decided.

In: source.Document.  Out: spec.resource.Resource.
Must not know: what a name refers to.
"""
