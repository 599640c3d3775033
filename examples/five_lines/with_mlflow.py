import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("ct-seg")
with mlflow.start_run(tags={"owner": "me"}):
    mlflow.log_params({"lr": 1e-3})
    for step in range(1000):
        mlflow.log_metrics({"train/loss": 1 / (step + 1), "val/auroc": 1 - 1 / (step + 2)}, step=step)
    mlflow.log_artifact("roc.png")
