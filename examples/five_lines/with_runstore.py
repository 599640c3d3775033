import runstore

with runstore.start_run("ct-seg", config={"lr": 1e-3}, tags={"owner": "me"}, store="sqlite:///runs.db") as run:
    for step in range(1000):
        run.log({"train/loss": 1 / (step + 1), "val/auroc": 1 - 1 / (step + 2)}, step=step)
    run.log_artifact("roc.png")
