#!/usr/bin/env bash
# Times one training step of preset `paper` in PyTorch: with the Python that LATENTLINK_TORCH_PYTHON names, or in an environment of
# its own under target/. Arguments go to step_torch.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -n "${LATENTLINK_TORCH_PYTHON:-}" ]; then
    exec "$LATENTLINK_TORCH_PYTHON" "$here/step_torch.py" "$@"
fi
environment=$here/../../target/step-torch
if [ ! -e "$environment/installed" ]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet torch numpy >&2
    touch "$environment/installed"
fi
exec "$environment/bin/python" "$here/step_torch.py" "$@"
