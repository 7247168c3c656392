<?php

use App\Models\Wearer;
use Illuminate\Support\Facades\Schedule;

Schedule::call(fn () => Wearer::where('created_at', '<', now()->subYear())->delete())->daily();
