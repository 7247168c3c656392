<?php

namespace App\Jobs;

use App\Models\Wearer;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Queue\Queueable;
use Illuminate\Support\Facades\Http;

/** Sends the guardian a message when a child was found. Safe to run twice: the gateway drops a repeated reference. */
class CallGuardian implements ShouldQueue
{
    use Queueable;

    public int $tries = 3;

    public function __construct(public Wearer $wearer, public string $reference) {}

    public function handle(): void
    {
        Http::withHeaders(['X-Api-Key' => config('services.sms.key')])
            ->post(config('services.sms.url'), ['to' => $this->wearer->phone, 'foreign_id' => $this->reference])
            ->throw();
    }
}
