using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Dashboard.Sandbox.Http;

/// <summary>Container logs that were asked for: each is a snapshot under an address nobody can guess, there a moment after the answer, without any key.</summary>
internal sealed class LogShelf(TimeProvider time, TimeSpan delay, string publicAddress)
{
    private const int MostLogs = 200;
    private const int DefaultTail = 1000;
    private const long MostBytes = 4 << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Text, DateTimeOffset From)> _logs = [];
    private readonly Queue<string> _oldest = new();

    public async Task<Reply> AnswerAsync(int id, LiveMarket live, HttpRequest request)
    {
        if (await Body.ReadAsync(request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        if (live.Read((market, _) => market.Find(id)) is null)
        {
            return Reply.Failure(StatusCodes.Status404NotFound, "invalid_id", string.Create(CultureInfo.InvariantCulture, $"Instance {id} not found."));
        }

        var folder = live.Fleet.FolderOf(id);
        var daemon = body.Flag("daemon_logs") == true;
        var lines = daemon ? [string.Create(CultureInfo.InvariantCulture, $"C.{id}: log of the host, nothing to report")] : LastLines(folder.Log);
        var filtered = body.Text("filter") is { Length: > 0 } text ? lines.Where(line => line.Contains(text, StringComparison.Ordinal)) : lines;
        var tail = body.Number("tail") is { } wanted && wanted >= 0 ? (int)Math.Min(wanted, int.MaxValue) : DefaultTail;
        var snapshot = string.Concat(filtered.TakeLast(tail).Select(line => line + "\n"));
        var name = RandomNumberGenerator.GetHexString(40, lowercase: true) + ".log";
        lock (_gate)
        {
            _logs[name] = (snapshot, time.GetUtcNow() + delay);
            _oldest.Enqueue(name);
            if (_oldest.Count > MostLogs)
            {
                _logs.Remove(_oldest.Dequeue());
            }
        }

        return Reply.Ok(new WireRow
        {
            ["success"] = true,
            ["result_url"] = $"{publicAddress}/instance_logs/{name}",
            ["msg"] = "Log upload has been requested. It may take a moment until it can be fetched.",
        });
    }

    public IResult Fetch(string name)
    {
        lock (_gate)
        {
            return _logs.TryGetValue(name, out var log) && time.GetUtcNow() >= log.From
                ? Results.Text(log.Text, "text/plain", Encoding.UTF8)
                : Results.NotFound();
        }
    }

    private static List<string> LastLines(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        using var log = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Seek(Math.Max(0, log.Length - MostBytes), SeekOrigin.Begin);
        using var reader = new StreamReader(log);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            lines.Add(line);
        }

        return lines;
    }
}
