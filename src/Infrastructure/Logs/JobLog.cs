using System.Buffers;
using System.Globalization;
using Dashboard.Domain.Logs;
using Microsoft.Win32.SafeHandles;

namespace Dashboard.Infrastructure.Logs;

/// <summary>
/// The console of one job on disk. The raw files are the truth: bytes are written there first, then lines to the index, so whatever a crash
/// cuts off the index can be found again in the bytes. Thread-safe; readers never wait for writers longer than one write.
/// </summary>
internal sealed class JobLog : IDisposable
{
    private const int ScanBytes = 256 * 1024;
    private const string OursName = "ours.log";
    private readonly Lock _lock = new();
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Dictionary<(LogSource Source, int Attempt), Raw> _raws = [];
    private SafeFileHandle? _index;
    private int _count;
    private int _lastAttempt = 1;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public JobLog(string folder, TimeProvider time)
    {
        _folder = folder;
        _time = time;
        if (Directory.Exists(folder))
        {
            Recover();
        }
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Completes at the next change after this was read.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    public long Length(int attempt)
    {
        lock (_lock)
        {
            return _raws.TryGetValue((LogSource.Program, attempt), out var raw) ? raw.Length : 0;
        }
    }

    public void Append(int attempt, long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var raw = At(LogSource.Program, attempt);
            if (offset > raw.Length)
            {
                throw new LogGap(raw.Length, offset);
            }

            var known = raw.Length - offset;
            if (known < bytes.Length)
            {
                Add(raw, attempt, bytes[(int)known..]);
            }
        }
    }

    public void AppendOurs(int attempt, ReadOnlySpan<byte> lines)
    {
        lock (_lock)
        {
            Add(At(LogSource.Ours, 0), attempt, lines);
        }
    }

    /// <summary>Makes a line of what stands after the last line end.</summary>
    public void Seal(int attempt)
    {
        lock (_lock)
        {
            if (_raws.TryGetValue((LogSource.Program, attempt), out var raw) && raw.LineStart < raw.Length)
            {
                Record([new LogRecord(LogSource.Program, attempt, raw.LineStart, raw.Length - raw.LineStart, Ended: false, Now())]);
                raw.LineStart = raw.Length;
                Announce();
            }
        }
    }

    /// <summary>Up to <paramref name="count"/> lines, and no more once their text passes <paramref name="enoughChars"/>.</summary>
    public List<LogLine> Read(int start, int count, long enoughChars)
    {
        count = Math.Min(count, Count - start);
        var lines = new List<LogLine>(Math.Max(count, 0));
        if (start < 0 || count <= 0)
        {
            return lines;
        }

        var records = new byte[count * LogRecord.Size];
        using (var index = OpenRead(IndexPath))
        {
            ReadFully(index, records, (long)start * LogRecord.Size);
        }

        var files = new Dictionary<string, SafeFileHandle>();
        try
        {
            long chars = 0;
            for (var i = 0; i < count && chars < enoughChars; i++)
            {
                var record = LogRecord.Read(records.AsSpan(i * LogRecord.Size, LogRecord.Size)) ?? throw new InvalidDataException($"Line {start + i} of {IndexPath} is damaged");
                var path = PathOf(record.Source, record.Attempt);
                if (!files.TryGetValue(path, out var file))
                {
                    files.Add(path, file = OpenRead(path));
                }

                var text = TextOf(file, record);
                chars += text.Length;
                lines.Add(new LogLine(start + i, DateTimeOffset.FromUnixTimeMilliseconds(record.ArrivedMs), record.Attempt, record.Source, text));
            }
        }
        finally
        {
            foreach (var file in files.Values)
            {
                file.Dispose();
            }
        }

        return lines;
    }

    public byte[] ReadBytes(int attempt, long offset, int max)
    {
        var bytes = new byte[Math.Clamp(Length(attempt) - offset, 0, max)];
        if (bytes.Length > 0)
        {
            using var file = OpenRead(PathOf(LogSource.Program, attempt));
            ReadFully(file, bytes, offset);
        }

        return bytes;
    }

    /// <summary>Closes the files being written; the next write opens them again.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _index?.Dispose();
            _index = null;
            foreach (var raw in _raws.Values)
            {
                raw.Close();
            }
        }
    }

    private string IndexPath => Path.Combine(_folder, "index");

    private string PathOf(LogSource source, int attempt) =>
        Path.Combine(_folder, source is LogSource.Ours ? OursName : string.Create(CultureInfo.InvariantCulture, $"attempt-{attempt}.log"));

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private Raw At(LogSource source, int attempt)
    {
        if (!_raws.TryGetValue((source, attempt), out var raw))
        {
            Directory.CreateDirectory(_folder);
            _raws.Add((source, attempt), raw = new Raw(PathOf(source, attempt), source));
        }

        return raw;
    }

    private void Add(Raw raw, int attempt, ReadOnlySpan<byte> bytes)
    {
        var from = raw.Length;
        raw.Write(bytes);
        Index(raw, attempt, bytes, from, Now());
        Announce();
    }

    private void Index(Raw raw, int attempt, ReadOnlySpan<byte> bytes, long from, long arrivedMs)
    {
        var records = new List<LogRecord>();
        for (int end, at = 0; (end = bytes[at..].IndexOf((byte)'\n')) >= 0; at += end + 1)
        {
            var ends = from + at + end;
            records.Add(new LogRecord(raw.Source, attempt, raw.LineStart, ends - raw.LineStart, Ended: true, arrivedMs));
            raw.LineStart = ends + 1;
        }

        Record(records);
    }

    private void Record(List<LogRecord> records)
    {
        if (records.Count == 0)
        {
            return;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(records.Count * LogRecord.Size);
        for (var i = 0; i < records.Count; i++)
        {
            records[i].Write(bytes.AsSpan(i * LogRecord.Size, LogRecord.Size));
            _lastAttempt = Math.Max(_lastAttempt, records[i].Attempt);
        }

        _index ??= OpenWrite(IndexPath);
        RandomAccess.Write(_index, bytes.AsSpan(0, records.Count * LogRecord.Size), (long)_count * LogRecord.Size);
        _count += records.Count;
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private void Announce()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    /// <summary>
    /// Takes up what is on disk. The index is believed up to the first record that is torn or does not fit the raw files; every line after that
    /// is found again in the bytes, with the file's time as its arrival.
    /// </summary>
    private void Recover()
    {
        foreach (var path in Directory.EnumerateFiles(_folder, "*.log"))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (Path.GetFileName(path) == OursName)
            {
                _raws.Add((LogSource.Ours, 0), new Raw(path, LogSource.Ours));
            }
            else if (name.StartsWith("attempt-", StringComparison.Ordinal) && int.TryParse(name["attempt-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var attempt))
            {
                _raws.Add((LogSource.Program, attempt), new Raw(path, LogSource.Program));
            }
        }

        BelieveIndex();
        foreach (var ((source, attempt), raw) in _raws.OrderBy(raw => raw.Key.Attempt))
        {
            Rescan(raw, source is LogSource.Ours ? _lastAttempt : attempt);
        }
    }

    private void BelieveIndex()
    {
        if (!File.Exists(IndexPath))
        {
            return;
        }

        using (var file = new FileStream(IndexPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: ScanBytes, FileOptions.SequentialScan))
        {
            Span<byte> bytes = stackalloc byte[LogRecord.Size];
            while (file.ReadAtLeast(bytes, LogRecord.Size, throwOnEndOfStream: false) == LogRecord.Size
                && LogRecord.Read(bytes) is { } record
                && _raws.TryGetValue((record.Source, record.Source is LogSource.Ours ? 0 : record.Attempt), out var raw)
                && record.Offset == raw.LineStart && record.Length >= 0 && record.Next <= raw.Length)
            {
                raw.LineStart = record.Next;
                _lastAttempt = Math.Max(_lastAttempt, record.Attempt);
                _count++;
            }
        }

        _index = OpenWrite(IndexPath);
        RandomAccess.SetLength(_index, (long)_count * LogRecord.Size);
    }

    private void Rescan(Raw raw, int attempt)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ScanBytes);
        using var file = OpenRead(raw.Path);
        var arrived = new DateTimeOffset(File.GetLastWriteTimeUtc(raw.Path)).ToUnixTimeMilliseconds();
        int read;
        for (var at = raw.LineStart; (read = RandomAccess.Read(file, buffer, at)) > 0; at += read)
        {
            Index(raw, attempt, buffer.AsSpan(0, read), at, arrived);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>A line may be as long as the log: only its beginning is read, or, where it was redrawn with carriage returns, its end.</summary>
    private static string TextOf(SafeFileHandle file, LogRecord record)
    {
        const int Window = 4 * LogText.MaxChars; // bytes: enough for MaxChars of any text
        var whole = record.Length <= Window;
        var bytes = ArrayPool<byte>.Shared.Rent(Window);
        try
        {
            var shown = bytes.AsSpan(0, (int)Math.Min(record.Length, Window));
            if (!whole)
            {
                ReadFully(file, shown, record.Offset + record.Length - shown.Length);
                if (shown.TrimEnd((byte)'\r').Contains((byte)'\r'))
                {
                    return LogText.Of(shown);
                }
            }

            ReadFully(file, shown, record.Offset);
            return LogText.Of(whole ? shown : shown[(shown.LastIndexOf((byte)'\r') + 1)..], cutShort: !whole);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static SafeFileHandle OpenRead(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static SafeFileHandle OpenWrite(string path) => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private static void ReadFully(SafeFileHandle file, Span<byte> into, long offset)
    {
        while (into.Length > 0)
        {
            var read = RandomAccess.Read(file, into, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("A log file is shorter than its index says");
            }

            into = into[read..];
            offset += read;
        }
    }

    /// <summary>One append-only file and where its unfinished line begins.</summary>
#pragma warning disable CA1001 // closed with its job
    private sealed class Raw(string path, LogSource source)
    {
        private SafeFileHandle? _file;

        public string Path => path;

        public LogSource Source => source;

        public long Length { get; private set; } = File.Exists(path) ? new FileInfo(path).Length : 0;

        public long LineStart { get; set; }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            _file ??= OpenWrite(path);
            RandomAccess.Write(_file, bytes, Length);
            Length += bytes.Length;
        }

        public void Close()
        {
            _file?.Dispose();
            _file = null;
        }
    }
}
