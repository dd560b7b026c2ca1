"""E-byul: reads how a person feels after a breakup and answers with songs and lyric lines that feel the same."""

import os

__version__ = "0.1.0"

# Since 1.29 onnxruntime sends usage data to its maker unless this is set before it is first imported. Nothing about the
# people who write to this bot, not even that they do, leaves the machine.
os.putenv("ORT_DISABLE_TELEMETRY", "1")
