ALTER TABLE `destinations` ADD `paused` text;--> statement-breakpoint
ALTER TABLE `destinations` ADD `failing` text;