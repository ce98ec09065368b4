"""Makes the forms of cluster classes; run by the interpreter that has their packages. Names in, forms out, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from satflow_ext.cluster_providers.class_form import build_form

json.dump({name: build_form(name).model_dump(mode="json") for name in json.load(sys.stdin)}, sys.stdout)
