"""The real worker host, whose jobs are taken over: run in place of `python -m enclave.nursery`.

Nothing of the product knows about it. It starts the real command and puts another task into the children:
warming, walls, limits, descriptors and the parent's loop are those of any job.
"""

from __future__ import annotations

import sys

from enclave.nursery.environment import prepare_environment

if __name__ == "__main__":
    prepare_environment()
    # Only now, as in the real command: these imports load the native libraries.
    from take_over import main

    sys.exit(main())
