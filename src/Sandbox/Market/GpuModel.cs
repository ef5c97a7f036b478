using System.Globalization;
using System.Reflection;

namespace Dashboard.Sandbox.Market;

/// <summary>A GPU as the catalogue describes it. Prices are USD per GPU-hour without storage.</summary>
internal sealed record GpuModel(
    string Name, int VramGib, double MemoryGbPerSecond, double Bf16Tflops, decimal ComputeCapability, decimal Low, decimal Median, decimal High)
{
    /// <summary>Usable memory as the provider reports it: a little less than the label says (24 GiB shows 24,564 MB).</summary>
    public int RamMb => (VramGib * 1024) - (VramGib / 2);

    /// <summary>Sold as boards of four or eight, in datacenters.</summary>
    public bool IsServerBoard => Name.Contains("SXM", StringComparison.Ordinal) || Name is "H200" or "B200" or "B300" or "Tesla V100";

    /// <summary>Every model of the embedded catalogue that has a price.</summary>
    public static IReadOnlyList<GpuModel> LoadCatalogue()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("gpus.csv")
            ?? throw new InvalidOperationException("The GPU catalogue is not embedded.");
        using var reader = new StreamReader(stream);
        var columns = Cells(reader.ReadLine()!);
        var models = new List<GpuModel>();
        while (reader.ReadLine() is { } line)
        {
            var cells = Cells(line);
            string Cell(string column) => cells[columns.IndexOf(column)];
            if (Cell("vast_low").Length == 0)
            {
                continue;
            }

            models.Add(new GpuModel(
                Cell("vast_name"),
                int.Parse(Cell("vram_gib"), CultureInfo.InvariantCulture),
                double.Parse(Cell("mem_bw_gbs"), CultureInfo.InvariantCulture),
                double.Parse(Cell("bf16_dense_tflops"), CultureInfo.InvariantCulture),
                decimal.Parse(Cell("compute_cap"), CultureInfo.InvariantCulture),
                decimal.Parse(Cell("vast_low"), CultureInfo.InvariantCulture),
                decimal.Parse(Cell("vast_median"), CultureInfo.InvariantCulture),
                decimal.Parse(Cell("vast_high"), CultureInfo.InvariantCulture)));
        }

        return models;
    }

    // One column holds quoted text with commas; quotes are never escaped.
    private static List<string> Cells(string line)
    {
        var cells = new List<string>();
        var cell = new System.Text.StringBuilder();
        var quoted = false;
        foreach (var letter in line)
        {
            switch (letter)
            {
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    cells.Add(cell.ToString());
                    cell.Clear();
                    break;
                default:
                    cell.Append(letter);
                    break;
            }
        }

        cells.Add(cell.ToString());
        return cells;
    }
}
