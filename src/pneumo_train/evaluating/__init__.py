"""The figures of an evaluation: scores with intervals, the threshold and its table, calibration, subgroups. numpy alone."""
