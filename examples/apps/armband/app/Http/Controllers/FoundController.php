<?php

namespace App\Http\Controllers;

use App\Jobs\CallGuardian;
use App\Models\Wearer;
use Illuminate\Http\Request;

class FoundController
{
    public function store(Request $request)
    {
        $wearer = Wearer::where('number', $request->validate(['number' => 'required|digits:6'])['number'])->firstOrFail();
        CallGuardian::dispatch($wearer, $request->fingerprint());

        return back()->with('status', 'The guardian is being called.');
    }
}
