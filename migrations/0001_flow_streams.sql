CREATE TABLE `flow_streams` (
	`flow_id` text NOT NULL,
	`stream` text NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`flow_id`, `stream`)
);
