<?php

use App\Http\Controllers\FoundController;
use Illuminate\Support\Facades\Route;

Route::view('/', 'found');
Route::post('/found', [FoundController::class, 'store'])->middleware('throttle:10,1');
