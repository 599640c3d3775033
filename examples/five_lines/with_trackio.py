import trackio

trackio.init(project="ct-seg", config={"lr": 1e-3, "owner": "me"}, embed=False)
for step in range(1000):
    trackio.log({"train/loss": 1 / (step + 1), "val/auroc": 1 - 1 / (step + 2)}, step=step)
trackio.log_artifact("roc.png", name="roc", type="plot")
trackio.finish()
