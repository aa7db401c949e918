"""What deploy/ has for Prometheus, Alertmanager and Grafana, tried out with the real programs."""
