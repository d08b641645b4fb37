"""The event log in Apache Kafka, and its consumer."""
