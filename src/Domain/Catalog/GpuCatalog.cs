using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Dashboard.Domain.Catalog;

/// <summary>What is known of a GPU model before anybody rents one. Live prices always win over the seed prices.</summary>
/// <param name="Name">The marketplace's spelling: <c>RTX 4090</c>.</param>
/// <param name="VramGib">Memory as sold.</param>
/// <param name="MemoryGbPerSecond">Memory bandwidth.</param>
/// <param name="DenseTflops">bf16 without sparsity; fp16 where the card has no bf16.</param>
/// <param name="ComputeCapability">For example 8.9.</param>
/// <param name="LowUsd">Low end of marketplace prices when the catalogue was made, USD per GPU-hour without disk.</param>
/// <param name="HighUsd">High end of the same.</param>
public sealed record GpuModel(string Name, int VramGib, decimal? MemoryGbPerSecond, decimal? DenseTflops, decimal? ComputeCapability, decimal? LowUsd, decimal? HighUsd);

/// <summary>The GPU models of the field, from the embedded <c>gpus.csv</c>.</summary>
public static class GpuCatalog
{
    private static readonly Lazy<FrozenDictionary<string, GpuModel>> ByName = new(Load);

    public static IReadOnlyCollection<GpuModel> All => ByName.Value.Values;

    /// <summary>The model of that name; null when the catalogue does not know it. A 40 GB and an 80 GB A100 share a name: memory is the offer's.</summary>
    public static GpuModel? Find(string name) => ByName.Value.GetValueOrDefault(name);

    private static FrozenDictionary<string, GpuModel> Load()
    {
        using var stream = typeof(GpuCatalog).Assembly.GetManifestResourceStream("gpus.csv")!;
        using var reader = new StreamReader(stream);
        var header = Cells(reader.ReadLine()!);
        int Column(string name) => header.IndexOf(name);
        var (nameAt, vramAt, bandwidthAt, tflopsAt, capabilityAt) =
            (Column("vast_name"), Column("vram_gib"), Column("mem_bw_gbs"), Column("bf16_dense_tflops"), Column("compute_cap"));
        var (lowAt, highAt) = (Column("vast_low"), Column("vast_high"));

        var models = new Dictionary<string, GpuModel>(StringComparer.OrdinalIgnoreCase);
        while (reader.ReadLine() is { } line)
        {
            var cells = Cells(line);
            if (cells[nameAt].Length > 0 && int.TryParse(cells[vramAt], NumberStyles.Integer, CultureInfo.InvariantCulture, out var vram))
            {
                var model = new GpuModel(cells[nameAt], vram, Number(cells[bandwidthAt]), Number(cells[tflopsAt]), Number(cells[capabilityAt]), Number(cells[lowAt]), Number(cells[highAt]));
                models[model.Name] = models.TryGetValue(model.Name, out var smaller)
                    ? smaller with { LowUsd = Least(smaller.LowUsd, model.LowUsd), HighUsd = Most(smaller.HighUsd, model.HighUsd) } // one name, two sizes
                    : model;
            }
        }

        return models.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    // One column holds quoted text with commas; quotes are never escaped.
    private static List<string> Cells(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        foreach (var letter in line)
        {
            if (letter == '"')
            {
                quoted = !quoted;
            }
            else if (letter == ',' && !quoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(letter);
            }
        }

        cells.Add(cell.ToString());
        return cells;
    }

    private static decimal? Least(decimal? one, decimal? other) => one is { } a && other is { } b ? Math.Min(a, b) : one ?? other;

    private static decimal? Most(decimal? one, decimal? other) => one is { } a && other is { } b ? Math.Max(a, b) : one ?? other;

    private static decimal? Number(string cell) =>
        decimal.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
}
