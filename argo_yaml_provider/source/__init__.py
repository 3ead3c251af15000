"""YAML or JSON text -> values that remember where they stand.

In: a file, or text.  Out: `Document`s: Argo's JSON of each, by the rules of sigs.k8s.io/yaml, and the place of every part.
Must not know: Argo's fields.
"""

from argo_yaml_provider.source.nodes import Document as Document
from argo_yaml_provider.source.nodes import Node as Node
from argo_yaml_provider.source.read import Limits as Limits
from argo_yaml_provider.source.read import read_file as read_file
from argo_yaml_provider.source.read import read_text as read_text
