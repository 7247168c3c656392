<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

class Wearer extends Model
{
    protected $fillable = ['number', 'given_name', 'phone'];
}
