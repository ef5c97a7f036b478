using System.Text.Json;
using Dashboard.Benchmarks.Prices;

// Measures the price history's storage and prints the samples as one JSON object, seconds and bytes; benchmarks/prices.py makes the table.
if (args is not [var folder, var roundsText, var daysText] || !int.TryParse(roundsText, out var rounds) || !int.TryParse(daysText, out var days))
{
    Console.Error.WriteLine("usage: FOLDER ROUNDS DAYS");
    return 64;
}

var samples = new Dictionary<string, double[]>();
await OnePoll.MeasureAsync(Path.Combine(folder, "poll"), rounds, samples);
await OneYear.MeasureAsync(Path.Combine(folder, "year"), days, samples);
Console.WriteLine(JsonSerializer.Serialize(samples));
return 0;
